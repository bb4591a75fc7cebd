// CRC-32 (the one of zlib and PNG) of a text's UTF-8 bytes, as an unsigned integer.

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

const utf8 = new TextEncoder();

export function crc32(text) {
  let crc = 0xffffffff;
  for (const byte of utf8.encode(text)) crc = (crc >>> 8) ^ TABLE[(crc ^ byte) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}
