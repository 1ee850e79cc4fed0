import {
  context,
  ProxyTracerProvider,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';

const tracer = trace.getTracer('hvideo');

/** Whether somebody has registered an SDK: without one, there is nothing to make a span for. */
export function isTracing(): boolean {
  const provider = trace.getTracerProvider();
  return !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer('hvideo') !== undefined;
}

export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** Runs `work` in a span. Without an OpenTelemetry SDK in the process this costs a function call. */
export function traced<T>(
  name: string,
  attributes: SpanAttributes,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  return tracer.startActiveSpan(name, { attributes: { ...attributes } }, (span) => finish(span, work));
}

/** As `traced`, for a request from outside: continues the caller's trace (W3C `traceparent`). */
export function tracedRequest<T>(
  name: string,
  headers: Headers,
  work: (span: Span) => Promise<T>,
): Promise<T> {
  const parent = propagation.extract(context.active(), headers, {
    get: (carrier, key) => carrier.get(key) ?? undefined,
    keys: (carrier) => [...carrier.keys()],
  });
  return tracer.startActiveSpan(name, { kind: SpanKind.SERVER }, parent, (span) => finish(span, work));
}

async function finish<T>(span: Span, work: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await work(span);
  } catch (error) {
    if (error instanceof Error) span.recordException(error);
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}
