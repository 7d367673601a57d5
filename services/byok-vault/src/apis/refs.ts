/** Ids and names look like this; nothing else can be stored, so nothing else is looked for. */
const REF = /^[A-Za-z0-9._-]{1,64}$/;

/** Whether a text could name anything of ours. PostgreSQL refuses some texts (NUL) with an error that is nobody's fault. */
export const isRef = (text: string): boolean => REF.test(text);
