/** What went wrong and what to do. For a limit it counts down to the time of the next attempt. */
import type { Notice } from "./chat-state.ts";
import { duration } from "./duration.ts";
import { Icon, signs } from "./icon.tsx";
import { useSecondsUntil } from "./use-seconds-until.ts";

export function NoticeBar(props: {
  readonly notice: Notice;
  readonly busy: boolean;
  readonly onRetry: () => void;
  readonly onDismiss: () => void;
  readonly onSignIn: () => void;
}) {
  const { notice } = props;
  const seconds = useSecondsUntil(notice.untilMs ?? null);
  return (
    <div className={`notice ${notice.kind}`} role="alert">
      <div>
        <strong>{notice.title}</strong>
        <p>{notice.advice}</p>
        {notice.kind === "limit" ? (
          <p aria-live="off" className="countdown">
            {seconds > 0 ? `You can send again in ${duration(seconds)}.` : "You can send again now."}
          </p>
        ) : null}
      </div>
      <div className="row">
        {notice.retry ? (
          <button type="button" onClick={props.onRetry} disabled={props.busy || seconds > 0}>
            Try again
          </button>
        ) : null}
        {notice.signsIn === true ? (
          <button type="button" onClick={props.onSignIn}>
            Sign in again
          </button>
        ) : null}
        {notice.kind === "offline" && !notice.retry && notice.dismissible !== true ? null : (
          <button type="button" className="quiet" onClick={props.onDismiss} aria-label="Dismiss">
            <Icon d={signs.cross} />
          </button>
        )}
      </div>
    </div>
  );
}
