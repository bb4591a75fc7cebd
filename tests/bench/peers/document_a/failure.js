// What is answered instead of what was asked for.

export class Failure extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

// Express knows an error handler by its four parameters.
export function answerFailure(error, request, response, _next) {
  if (!(error instanceof Failure)) console.error(error);
  const { status = 500, code = 'INTERNAL' } = error;
  response.status(status).json({ error: 'Refused', message: error.message, code });
}
