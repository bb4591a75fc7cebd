"""What an operator does with a running server: asks how it is, lets it go, has it renewed; and with what it keeps."""
