/* The floor: one frame, made once, and a loop of write() over the sockets. What a server does beyond that can be spent
 * or saved; this cannot.
 *
 * The first line of standard input is the text to broadcast. Each further line, "COUNT EVERY_US", is answered by "done"
 * after so many broadcasts. "port N" is said first of all. Nothing is read while it broadcasts. The ten digits behind
 * the text's last "to": are counted up. Clients come one after the other, and their request is not looked at.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { INPUT, LISTENER, FIRST, MOST = 20000, TEXT_MOST = 65535, HEAD = 4 };

/* The clients of the bench do not check the key's answer. */
static const char HELLO[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
static struct pollfd watched[FIRST + MOST];
static nfds_t count = FIRST;
static unsigned char frame[HEAD + TEXT_MOST + 2];
static size_t frame_size;
static char *version;

/* Standard input without a buffer of our own, so that poll() knows of every line that waits. */
static ssize_t read_line(char *line, size_t most) {
  size_t size = 0;
  while (size + 1 < most && read(STDIN_FILENO, line + size, 1) == 1 && line[size] != '\n') size++;
  line[size] = 0;
  return size;
}

static void make_frame(void) {
  char *text = (char *)frame + HEAD;
  size_t size = read_line(text, TEXT_MOST);
  for (char *at = text; (at = strstr(at, "\"to\":")); at++) version = at + 5;
  if (!version || size < 126) errx(1, "no text of a board");
  frame[0] = 0x81; /* a whole text message, of a size that takes two bytes */
  frame[1] = 126;
  frame[2] = size >> 8;
  frame[3] = size & 0xff;
  frame_size = HEAD + size;
}

static void next_version(void) {
  static long number = 1000000000;
  char digits[24]; /* ten are used; the compiler thinks of any number */
  snprintf(digits, sizeof digits, "%010ld", ++number);
  memcpy(version, digits, 10);
}

static void send_all(int client, const void *data, size_t size) {
  for (size_t sent = 0; sent < size;) {
    ssize_t more = write(client, (const char *)data + sent, size - sent); /* mostly all of it at once */
    if (more < 0 && errno != EINTR) err(1, "write");
    if (more > 0) sent += more;
  }
}

static void welcome(void) {
  char request[4096] = "";
  int on = 1, client = accept(watched[LISTENER].fd, NULL, NULL);
  if (client < 0 || count == FIRST + MOST) err(1, "accept");
  setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  for (size_t size = 0; !memmem(request, size, "\r\n\r\n", 4);) {
    ssize_t more = read(client, request + size, sizeof request - size);
    if (more <= 0) err(1, "handshake");
    size += more;
  }
  send_all(client, HELLO, sizeof HELLO - 1);
  send_all(client, frame, frame_size);
  watched[count++] = (struct pollfd){.fd = client, .events = POLLIN};
}

static void forget(nfds_t index) {
  close(watched[index].fd);
  watched[index] = watched[--count];
}

static void broadcast(long times, long every_us) {
  struct timespec at;
  clock_gettime(CLOCK_MONOTONIC, &at);
  for (long number = 0; number < times; number++) {
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
    next_version();
    for (nfds_t index = FIRST; index < count; index++) send_all(watched[index].fd, frame, frame_size);
    at.tv_nsec += every_us % 1000000 * 1000;
    at.tv_sec += every_us / 1000000 + at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
  }
}

static int listen_anywhere(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  if (bind(listener, (void *)&address, size) || listen(listener, 1024)) err(1, "listen");
  if (getsockname(listener, (void *)&address, &size)) err(1, "getsockname");
  printf("port %d\n", ntohs(address.sin_port));
  return listener;
}

int main(void) {
  char line[64];
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max; /* as Node does by itself */
  setrlimit(RLIMIT_NOFILE, &files);
  setvbuf(stdout, NULL, _IOLBF, 0);
  make_frame();
  watched[INPUT] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
  watched[LISTENER] = (struct pollfd){.fd = listen_anywhere(), .events = POLLIN};
  while (poll(watched, count, -1) > 0) {
    long times, every_us;
    /* Backwards, because the last one takes the place of one that is forgotten. */
    for (nfds_t index = count; index-- > FIRST;)
      if (watched[index].revents && read(watched[index].fd, line, sizeof line) <= 0) forget(index);
    if (watched[LISTENER].revents) welcome();
    if (!watched[INPUT].revents) continue;
    if (!read_line(line, sizeof line)) return 0; /* the bench has closed the input */
    if (sscanf(line, "%ld %ld", &times, &every_us) != 2) errx(1, "not a command: %s", line);
    broadcast(times, every_us);
    puts("done");
  }
  return 1;
}
