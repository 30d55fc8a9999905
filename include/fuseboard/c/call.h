// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Calls under a plan, for C: they go over its targets with retries, fallback and hedges, within budgets and one
// deadline.
//
//   fuseboard_call_callbacks callbacks = FUSEBOARD_INIT(fuseboard_call_callbacks);
//   callbacks.send = send_and_report;   // asks the target, then calls fuseboard_call_report()
//   fuseboard_call* call = NULL;
//   fuseboard_call_create(plan, NULL, &callbacks, &my_request, &call);
//   fuseboard_call_run(call);
//   ... fuseboard_call_get_summary(call, &summary) ...
//   fuseboard_call_destroy(call);
//
// The rules of fuseboard/c/fuseboard.h and fuseboard/c/plan.h hold here too, but for one: a call is one thread's at a
// time, its callbacks included; only fuseboard_call_stop() may come from any thread.
#ifndef FUSEBOARD_C_CALL_H_
#define FUSEBOARD_C_CALL_H_

#include "fuseboard/c/fuseboard.h"
#include "fuseboard/c/plan.h"

#ifdef __cplusplus
extern "C" {
#endif

// Points in time, in nanoseconds, are those of the clock of the targets' breakers; see fuseboard_call_now_ns().
#define FUSEBOARD_NEVER_NS INT64_MAX
// Where a time in nanoseconds is shown: there is none.
#define FUSEBOARD_NONE_NS (-1)

// ---- Calls --------------------------------------------------------------------------------------------------------

typedef struct fuseboard_call fuseboard_call;

typedef struct fuseboard_call_options {
  size_t struct_size;
  fuseboard_priority priority;
  bool streaming;                // the answer arrives in pieces; see fuseboard_call_first_content()
  bool idempotent;               // false: repeated only where it provably did not run
  int64_t deadline_ms;           // from now on; FUSEBOARD_NO_TIMEOUT: the plan's alone
  uint64_t input_tokens;         // what one attempt is expected to use
  uint64_t cached_input_tokens;  // of input_tokens
  uint64_t output_tokens;
  fuseboard_ledger* ledger;                  // NULL: nobody counts
  const char* key;                           // whom the ledger charges; NULL: nobody's, the global level
  const char* session;                       // likewise; NULL: no session
  fuseboard_attempt_budget* attempt_budget;  // NULL: its own alone
  const char* bound_to_provider;             // it keeps state that the request refers to: nobody else is asked
} fuseboard_call_options;
// The defaults: normal priority, a plain answer, idempotent.
fuseboard_status fuseboard_call_options_init(fuseboard_call_options* options) FUSEBOARD_NOEXCEPT;

// One attempt to be sent. Its times are already cut to the call's deadline.
typedef struct fuseboard_attempt {
  size_t struct_size;
  uint32_t number;          // 1 is the first of the call
  uint32_t target;          // its place among the plan's routes
  const char* target_name;  // valid as long as the plan
  bool probe;               // it probes a half-open circuit
  int64_t connect_by_ns;
  int64_t headers_by_ns;
  int64_t first_content_by_ns;
  int64_t total_by_ns;
  int64_t idle_ns;  // the longest silence between events after the first content
} fuseboard_attempt;

// How an attempt ended. FUSEBOARD_INIT makes it a success of which nothing more is known.
typedef struct fuseboard_report {
  size_t struct_size;
  const fuseboard_failure* failure;  // NULL: a success
  bool answered;                     // an answer of the target was read, good or bad
  bool not_connected;                // DNS, connect or TLS failed: the model was never reached
  bool did_not_run;                  // refused before it was handled, so that a repetition does no harm
  bool silent;                       // it ended by a silence: no head, no first content, or idle
  bool has_usage;                    // the next three are what the answer says it has used
  uint64_t input_tokens;
  uint64_t cached_input_tokens;  // of input_tokens
  uint64_t output_tokens;
  // Tokens of output that were seen, about: what is charged where the answer does not say, or says far less.
  uint64_t seen_output_tokens;
} fuseboard_report;

// What a call needs done. Each gets the `user` of fuseboard_call_create(), and must return: neither throw nor jump. But
// for `wake` they come within the functions of the call, on its thread; they may use the call, and even destroy it.
typedef struct fuseboard_call_callbacks {
  size_t struct_size;
  // Start this attempt and return, or run it to its end. Its end is told by fuseboard_call_report(), at once or later.
  void (*send)(void* user, fuseboard_call* call, const fuseboard_attempt* attempt);
  // Nobody needs this attempt any more; what is still reported of it is ignored. NULL: attempts are left alone.
  void (*cancel)(void* user, fuseboard_call* call, uint32_t attempt);
  // Call fuseboard_call_proceed() at that time, in place of any time that was named before; FUSEBOARD_NEVER_NS: not for
  // the sake of time. NULL: the call is driven by fuseboard_call_run().
  void (*proceed_at)(void* user, fuseboard_call* call, int64_t time_ns);
  // The call is over; its last callback. May be NULL.
  void (*ended)(void* user, fuseboard_call* call);
  // Have fuseboard_call_proceed() called soon on the call's thread: a place became free, a circuit has closed. Comes
  // from any thread, more often than needed, and never once fuseboard_call_destroy() has returned, which waits for it:
  // so it must return at once, wait for nobody and call nothing of this library. NULL: the call waits no longer than
  // it is told to, and not at all for what has no known time. Not used by fuseboard_call_run().
  void (*wake)(void* user);
} fuseboard_call_callbacks;

// Begins a call, whose deadline runs from now on; nothing is done before fuseboard_call_proceed() or
// fuseboard_call_run(). `options`: NULL for the defaults. `callbacks`: copied; `send` is required.
fuseboard_status fuseboard_call_create(const fuseboard_plan* plan, const fuseboard_call_options* options,
                                       const fuseboard_call_callbacks* callbacks, void* user,
                                       fuseboard_call** call) FUSEBOARD_NOEXCEPT;
// A call that has not ended is abandoned: what it holds goes back and no callback comes, not even `cancel`. NULL does
// nothing.
void fuseboard_call_destroy(fuseboard_call* call) FUSEBOARD_NOEXCEPT;

// Does what is to be done now, and says through `proceed_at` when to be called again. Harmless at any time.
//
// This and the functions below return FUSEBOARD_OUT_OF_MEMORY or FUSEBOARD_INTERNAL_ERROR where the call cannot go on:
// then it is abandoned as if destroyed, `ended` does not come, and it can only be destroyed.
fuseboard_status fuseboard_call_proceed(fuseboard_call* call) FUSEBOARD_NOEXCEPT;
// Drives a call without `proceed_at` to its end on this thread, waits included. `send` runs each attempt to its end and
// reports it before it returns; one that it has not reported has failed as execution_error. Such a call is never
// hedged. Waits take real time, so a clock of the caller's own should go as fast.
fuseboard_status fuseboard_call_run(fuseboard_call* call) FUSEBOARD_NOEXCEPT;
// From any thread: fuseboard_call_run() is to end soon, as if the caller were gone. Ends its wait; an attempt under way
// is the caller's to stop. NULL does nothing.
void fuseboard_call_stop(fuseboard_call* call) FUSEBOARD_NOEXCEPT;

// Of an attempt in flight, by its number. FUSEBOARD_NOT_FOUND: nobody needs it any more, and nothing has changed.
//
// Its end.
fuseboard_status fuseboard_call_report(fuseboard_call* call, uint32_t attempt,
                                       const fuseboard_report* report) FUSEBOARD_NOEXCEPT;
// The target has begun to answer with a success.
fuseboard_status fuseboard_call_accepted(fuseboard_call* call, uint32_t attempt) FUSEBOARD_NOEXCEPT;
// The first content is there: the answer is committed to this target, a hedge beside it is cancelled.
fuseboard_status fuseboard_call_first_content(fuseboard_call* call, uint32_t attempt) FUSEBOARD_NOEXCEPT;
// What it has used so far, for the ledger.
fuseboard_status fuseboard_call_observe(fuseboard_call* call, uint32_t attempt, uint64_t input_tokens,
                                        uint64_t cached_input_tokens, uint64_t output_tokens) FUSEBOARD_NOEXCEPT;

// The caller is gone: the call ends, and attempts in flight are cancelled.
fuseboard_status fuseboard_call_leave(fuseboard_call* call) FUSEBOARD_NOEXCEPT;

// false for NULL.
bool fuseboard_call_has_ended(const fuseboard_call* call) FUSEBOARD_NOEXCEPT;
// On the call's clock; 0 for NULL.
int64_t fuseboard_call_now_ns(const fuseboard_call* call) FUSEBOARD_NOEXCEPT;

// ---- What happened in a call --------------------------------------------------------------------------------------

// Why a call ended.
typedef int32_t fuseboard_ending;
enum {
  FUSEBOARD_ENDING_SUCCESS = 0,
  FUSEBOARD_ENDING_FAILED = 1,  // one failure that neither a retry nor another target could mend
  FUSEBOARD_ENDING_RETRIES_EXHAUSTED = 2,
  FUSEBOARD_ENDING_DEADLINE_EXCEEDED = 3,
  FUSEBOARD_ENDING_INTERRUPTED = 4,  // the answer had begun and broke off
  FUSEBOARD_ENDING_CANCELLED = 5,    // the caller went away
  // Nothing was sent. Of several reasons, the one that passes soonest.
  FUSEBOARD_ENDING_CIRCUIT_OPEN = 6,
  FUSEBOARD_ENDING_RATE_LIMITED = 7,
  FUSEBOARD_ENDING_QUEUE_FULL = 8,
  FUSEBOARD_ENDING_BUDGET_EXCEEDED = 9,
  FUSEBOARD_ENDING_CREDENTIAL_PARKED = 10,
  FUSEBOARD_ENDING_NO_TARGET = 11  // none that the call could use
};
// "success", ...; NULL for another number. Constant.
const char* fuseboard_ending_name(fuseboard_ending ending) FUSEBOARD_NOEXCEPT;

// The functions below tell of the call up to now, and all of it once it has ended. Of each list the first entries and
// the last one are kept, 16 at most.
typedef struct fuseboard_call_summary {
  size_t struct_size;
  fuseboard_ending ending;  // FUSEBOARD_ENDING_CANCELLED before the end
  bool hedged;
  uint32_t attempts_sent;
  uint32_t throttled;        // attempts that met a rate limit
  int32_t served_by;         // the target of the answer; -1: there is none
  uint32_t primary_attempt;  // the attempt whose error the caller should see; 0: there is none
  int64_t started_ns;
  int64_t ended_ns;
  int64_t retry_after_ms;  // a wait after which asking again is worthwhile; FUSEBOARD_NONE_MS: none is known
  // How many entries can be read.
  size_t attempt_count;
  size_t rejection_count;
  size_t wait_count;
} fuseboard_call_summary;
fuseboard_status fuseboard_call_get_summary(const fuseboard_call* call,
                                            fuseboard_call_summary* summary) FUSEBOARD_NOEXCEPT;

// What a breaker makes of an attempt.
typedef int32_t fuseboard_verdict;
enum {
  FUSEBOARD_VERDICT_SUCCESS = 0,
  FUSEBOARD_VERDICT_FAILURE = 1,
  FUSEBOARD_VERDICT_THROTTLED = 2,
  FUSEBOARD_VERDICT_NEUTRAL = 3
};

// An attempt that has ended.
typedef struct fuseboard_attempt_record {
  size_t struct_size;
  uint32_t number;
  uint32_t target;
  bool probe;
  bool hedge;  // it started beside another that took longer than most
  bool answered;
  bool recovery;                // it was to mend a broken answer: never yet of calls that are driven through C
  fuseboard_category category;  // of its failure; FUSEBOARD_CATEGORY_NONE: a success
  fuseboard_verdict verdict;    // of the target's own breaker
  int64_t retry_after_ms;       // the server's hint, or FUSEBOARD_NONE_MS
  int64_t waited_ns;            // before it started
  int64_t started_ns;
  int64_t duration_ns;
  int64_t first_content_ns;  // after its start, or FUSEBOARD_NONE_NS
  // What the ledger charged; 0 where nobody counts.
  uint64_t charged_tokens;
  uint64_t charged_rounds;
  int64_t charged_usd_nanos;
  bool usage_understated;  // what was seen was charged, for the answer told less than a quarter of it
  int64_t first_sign_ns;   // of work, after its start, where it came before the first content; FUSEBOARD_NONE_NS
  bool company;            // it started beside others that had outlasted their patience
  bool overtaken;          // it had outlasted its patience, and its company answered
  bool cut;                // its call's deadline ended it, not its own limits
} fuseboard_attempt_record;
// FUSEBOARD_NOT_FOUND: no such entry. So with the next two.
fuseboard_status fuseboard_call_get_attempt(const fuseboard_call* call, size_t index,
                                            fuseboard_attempt_record* attempt) FUSEBOARD_NOEXCEPT;

typedef int32_t fuseboard_budget_kind;
enum {
  FUSEBOARD_BUDGET_NONE = -1,
  FUSEBOARD_BUDGET_TOKENS = 0,
  FUSEBOARD_BUDGET_USD = 1,
  FUSEBOARD_BUDGET_ROUNDS = 2,
  FUSEBOARD_BUDGET_SESSIONS = 3  // as many are held as may be
};
typedef int32_t fuseboard_budget_scope;
enum { FUSEBOARD_BUDGET_GLOBAL = 0, FUSEBOARD_BUDGET_KEY = 1, FUSEBOARD_BUDGET_SESSION = 2 };

// An attempt that was not sent.
typedef struct fuseboard_rejection_record {
  size_t struct_size;
  uint32_t target;
  fuseboard_reason reason;
  uint32_t consecutive_failures;    // of a breaker
  fuseboard_category last_failure;  // that the breaker counted, or that rules the target out
  int64_t retry_after_ms;
  // Of a budget: what was short, and its numbers in the kind's unit.
  fuseboard_budget_kind kind;
  fuseboard_budget_scope scope;
  uint64_t consumed;
  uint64_t reserved;
  uint64_t requested;
  uint64_t limit;
} fuseboard_rejection_record;
fuseboard_status fuseboard_call_get_rejection(const fuseboard_call* call, size_t index,
                                              fuseboard_rejection_record* rejection) FUSEBOARD_NOEXCEPT;

typedef int32_t fuseboard_wait_reason;
enum {
  FUSEBOARD_WAIT_BACKOFF = 0,
  FUSEBOARD_WAIT_RECOVERY = 1,  // of a circuit
  FUSEBOARD_WAIT_ADMISSION = 2  // tokens or a place
};

typedef struct fuseboard_wait_record {
  size_t struct_size;
  uint32_t target;
  fuseboard_wait_reason reason;
  int64_t began_ns;
  int64_t duration_ns;
} fuseboard_wait_record;
fuseboard_status fuseboard_call_get_wait(const fuseboard_call* call, size_t index,
                                         fuseboard_wait_record* wait) FUSEBOARD_NOEXCEPT;

// The call in words, several lines. Writes at most `size` bytes, cut between characters and always ended by a zero
// byte; `buffer` may be NULL where `size` is 0. `*length`, unless it is NULL, is that of the whole text, without the
// zero byte. It names targets and categories, no content and no credential.
fuseboard_status fuseboard_call_explain(const fuseboard_call* call, char* buffer, size_t size,
                                        size_t* length) FUSEBOARD_NOEXCEPT;

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // FUSEBOARD_C_CALL_H_
