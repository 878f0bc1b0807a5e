// Traces by the OpenTelemetry API: off, and all but free, until the operator loads an SDK into the process.
import {
  INVALID_SPAN_CONTEXT,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
} from "@opentelemetry/api";
import type { Attributes, Context, Span, SpanContext, TracerProvider } from "@opentelemetry/api";
import { fromWireId } from "@thikaa/schema";

export interface SpanConfig {
  /** The message it is about, by either form of its id: all spans of a message are of one trace, in whichever process they are made. */
  readonly messageId?: string | null;
  readonly kind?: "internal" | "client";
  /** Ids, channels, classes and counts; never an address, a text or a secret. */
  readonly attributes?: Attributes;
  /** Messages that a batch is about; it has a trace of its own and links to theirs. */
  readonly about?: () => readonly string[];
}

const name = "thikaa";
const kinds = { internal: SpanKind.INTERNAL, client: SpanKind.CLIENT } as const;
const noSpan = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
let loaded: boolean | undefined;

/** Whether an SDK was loaded into this process: before the app, as `--import` does. Asked once, for all spans after it. */
export function isTracing(): boolean {
  return (loaded ??= hasSdk(trace.getTracerProvider()));
}

function hasSdk(provider: TracerProvider): boolean {
  return (
    !(provider instanceof ProxyTracerProvider) || provider.getDelegateTracer(name) !== undefined
  );
}

/** Runs work in a span; what it throws is marked in it. `work` may set attributes that are known only at its end. */
export async function inSpan<Result>(
  spanName: string,
  config: SpanConfig,
  work: (span: Span) => Promise<Result>,
): Promise<Result> {
  if (!isTracing()) return work(noSpan);
  const span = begin(spanName, config);
  try {
    return await work(span);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    throw error;
  } finally {
    span.end();
  }
}

/** A span of what is over, from `startedAt` (milliseconds since 1970) until now: for work whose message is known only at its end. */
export function recordSpan(
  spanName: string,
  config: SpanConfig & { readonly startedAt: number },
): void {
  if (isTracing()) begin(spanName, config, config.startedAt).end();
}

function begin(spanName: string, config: SpanConfig, startTime?: number): Span {
  const links = config.about?.().flatMap((id) => spanContextOf(id) ?? []);
  return trace.getTracer(name).startSpan(
    spanName,
    {
      kind: kinds[config.kind ?? "internal"],
      ...(config.attributes !== undefined && { attributes: config.attributes }),
      ...(links !== undefined && { links: links.map((context) => ({ context })) }),
      ...(startTime !== undefined && { startTime }),
    },
    contextOf(config.messageId ?? null),
  );
}

function contextOf(messageId: string | null): Context {
  const message = messageId === null ? null : spanContextOf(messageId);
  return message === null ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, message);
}

/**
 * A trace's id is as long as a UUID: the message's own id is its trace's, so that no row and no ring has to carry one. The
 * parent that its spans name is the message itself, which no process records.
 */
function spanContextOf(messageId: string): SpanContext | null {
  const uuid = messageId.includes("_") ? fromWireId("message", messageId) : messageId;
  const traceId = uuid?.replaceAll("-", "") ?? null;
  if (traceId === null) return null;
  return { traceId, spanId: traceId.slice(16), traceFlags: TraceFlags.SAMPLED, isRemote: true };
}
