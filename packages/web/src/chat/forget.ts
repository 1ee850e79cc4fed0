/** The code of the chat is fetched for it, where it is not there yet. */
const leaving = () => import('./leaving.ts');

/** Removes what this device holds of the account's chats. */
export const forgetChatOf = async (accountId: string) => (await leaving()).forgetChat(accountId);

/** Messages that would be lost by it. */
export const unsentOf = async (accountId: string) => (await leaving()).countUnsent(accountId);
