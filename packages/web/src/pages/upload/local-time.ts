/** The moment as a `datetime-local` input wants it: to the minute, in the person's own time zone. */
export function localInput(at: Date): string {
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** The chosen time of a form with a `PublishTime`; undefined for now. */
export function publishAtOf(values: FormData): string | undefined {
  const text = values.get('publishAt');
  return typeof text === 'string' && text !== '' ? new Date(text).toISOString() : undefined;
}

/**
 * The chosen time for a video that was to appear at `scheduledFor`: undefined when the field was left alone. The field
 * knows no seconds, so the same minute is the same time.
 */
export function rescheduleOf(values: FormData, scheduledFor: string): string | null | undefined {
  const chosen = publishAtOf(values);
  if (chosen === undefined) return null;
  return localInput(new Date(chosen)) === localInput(new Date(scheduledFor)) ? undefined : chosen;
}
