/** With the socket, through hibernation. */
export interface Attachment {
  /** Something is being said: memory that does not know of it was lost. */
  readonly active: boolean;
  readonly resumes: number;
}

export function attach(socket: WebSocket, attachment: Attachment): void {
  socket.serializeAttachment(attachment);
}

export function attachmentOf(socket: WebSocket): Attachment {
  return (socket.deserializeAttachment() as Attachment | null) ?? { active: false, resumes: 0 };
}

export function send(socket: WebSocket, text: string): void {
  try {
    socket.send(text);
  } catch {
    // It was closed in between: its close is told by itself.
  }
}
