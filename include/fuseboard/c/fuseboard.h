// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Fuseboard for C, and for every language that can call C. This header has the tool guard, breakers and categories;
// fuseboard/c/call.h has calls over several targets.
//
//   fuseboard_tool_guard* guard = NULL;
//   fuseboard_tool_guard_create(NULL, &guard);
//   fuseboard_tool_permit* permit = NULL;
//   if (fuseboard_tool_try_acquire(guard, "search", FUSEBOARD_PRIORITY_NORMAL, FUSEBOARD_NO_TIMEOUT, &permit, NULL) ==
//       FUSEBOARD_OK) {
//     fuseboard_tool_settle(permit, search() ? FUSEBOARD_OUTCOME_SUCCESS : FUSEBOARD_OUTCOME_EXECUTION_ERROR, 0);
//   }
//   fuseboard_tool_guard_destroy(guard);
//
// What holds for every function here:
// - Threads: every function may be called from any thread at any time, but for `_destroy` and for what consumes a
//   permit, each of which must be the last use of what it is given.
// - Ownership: what a function writes to a `**` is the caller's, to be given to the function that says it consumes or
//   destroys it. What comes back as `const char*` is the library's and need not be freed. What is passed in is copied.
// - Errors: a function that can fail returns a fuseboard_status. FUSEBOARD_REJECTED is no error: it means "not now".
//   After an error, fuseboard_last_error() says more; outputs are then as they were, but that a handle is NULL.
//   No exception crosses this boundary.
// - Texts are UTF-8, end in a zero byte, and names have 1 to FUSEBOARD_MAX_NAME bytes before it.
// - Times are whole milliseconds where they end in _ms, nanoseconds where they end in _ns.
// - Structs begin with `struct_size`, which must be their size as the caller was compiled: it lets later versions add
//   members at the end. The `_init` functions and FUSEBOARD_INIT set it. Of a shorter struct the members that are
//   missing have their defaults. One that is zero is refused, of outputs before anything has happened.
// - Where memory is short, FUSEBOARD_OUT_OF_MEMORY says that nothing has happened: no permit or token is taken.
// - A child of fork() may use what its parent made, provided that no other thread was inside a call on it then.
// - Enumerators are constants of the int32_t type above them; their numbers never change. A number that means nothing
//   is FUSEBOARD_INVALID_ARGUMENT.
#ifndef FUSEBOARD_C_FUSEBOARD_H_
#define FUSEBOARD_C_FUSEBOARD_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define FUSEBOARD_NOEXCEPT noexcept
extern "C" {
#else
#define FUSEBOARD_NOEXCEPT
#endif

// fuseboard_rejection why = FUSEBOARD_INIT(fuseboard_rejection);
#define FUSEBOARD_INIT(type) {.struct_size = sizeof(type)}

#define FUSEBOARD_MAX_NAME 1024
#define FUSEBOARD_MAX_ERROR 1023
// Where a time is: none is given, known or wanted.
#define FUSEBOARD_NONE_MS (-1)
#define FUSEBOARD_NO_TIMEOUT FUSEBOARD_NONE_MS

// ---- Version and errors -------------------------------------------------------------------------------------------

// "0.1.0". Constant.
const char* fuseboard_version(void) FUSEBOARD_NOEXCEPT;

typedef int32_t fuseboard_status;
enum {
  FUSEBOARD_OK = 0,
  FUSEBOARD_REJECTED = 1,
  FUSEBOARD_INVALID_ARGUMENT = 2,  // a null pointer, an unknown number, an option out of its range
  FUSEBOARD_NOT_FOUND = 3,
  FUSEBOARD_OUT_OF_MEMORY = 4,
  FUSEBOARD_INTERNAL_ERROR = 5
};
// "ok", "rejected", ...; "unknown" for another number. Constant.
const char* fuseboard_status_name(fuseboard_status status) FUSEBOARD_NOEXCEPT;

// What went wrong in this thread's last call that failed, in English, at most FUSEBOARD_MAX_ERROR bytes; of options
// every problem, one a line. Empty before the first. Valid until this thread's next call that fails. Never NULL.
const char* fuseboard_last_error(void) FUSEBOARD_NOEXCEPT;

// ---- Categories of failure ----------------------------------------------------------------------------------------

typedef int32_t fuseboard_category;
enum {
  FUSEBOARD_CATEGORY_NONE = -1,  // where a category is shown: there is none
  FUSEBOARD_CATEGORY_NETWORK = 0,
  FUSEBOARD_CATEGORY_TIMEOUT = 1,
  FUSEBOARD_CATEGORY_RATE_LIMIT = 2,
  FUSEBOARD_CATEGORY_SERVICE_UNAVAILABLE = 3,
  FUSEBOARD_CATEGORY_OVERLOADED = 4,
  FUSEBOARD_CATEGORY_CIRCUIT_OPEN = 5,
  FUSEBOARD_CATEGORY_AUTHENTICATION = 6,
  FUSEBOARD_CATEGORY_PERMISSION_DENIED = 7,
  FUSEBOARD_CATEGORY_INVALID_REQUEST = 8,
  FUSEBOARD_CATEGORY_TOOL_NOT_FOUND = 9,
  FUSEBOARD_CATEGORY_RESOURCE_NOT_FOUND = 10,
  FUSEBOARD_CATEGORY_MODEL_NOT_FOUND = 11,
  FUSEBOARD_CATEGORY_CONTEXT_LENGTH_EXCEEDED = 12,
  FUSEBOARD_CATEGORY_CONTENT_POLICY = 13,
  FUSEBOARD_CATEGORY_POLICY_VIOLATION = 14,
  FUSEBOARD_CATEGORY_QUOTA_EXHAUSTED = 15,
  FUSEBOARD_CATEGORY_RESOURCE_EXHAUSTED = 16,
  FUSEBOARD_CATEGORY_CANCELLED = 17,
  FUSEBOARD_CATEGORY_EXECUTION_ERROR = 18,
  FUSEBOARD_CATEGORY_COUNT = 19
};

// The stable name, such as "rate_limit"; NULL if there is no such category. Constant.
const char* fuseboard_category_name(fuseboard_category category) FUSEBOARD_NOEXCEPT;
// FUSEBOARD_CATEGORY_NONE for an unknown name or NULL.
fuseboard_category fuseboard_category_from_name(const char* name) FUSEBOARD_NOEXCEPT;

// What follows from a category when nothing more is known.
typedef struct fuseboard_category_properties {
  size_t struct_size;
  bool retryable;      // the same call to the same target may succeed later
  bool trips_breaker;  // evidence that the target is ill for others too
  bool fallback;       // another target would plausibly succeed
} fuseboard_category_properties;
fuseboard_status fuseboard_category_get_properties(fuseboard_category category,
                                                   fuseboard_category_properties* properties) FUSEBOARD_NOEXCEPT;

// ---- Judged failures ----------------------------------------------------------------------------------------------

// Whether a failure is evidence against its target.
typedef int32_t fuseboard_evidence;
enum { FUSEBOARD_EVIDENCE_BY_CATEGORY = 0, FUSEBOARD_EVIDENCE_COUNTS = 1, FUSEBOARD_EVIDENCE_DOES_NOT_COUNT = 2 };

// What a refusal speaks of: the narrower, the fewer it is held against. UNNAMED: a refused credential or a quota speaks
// of the whole credential, a throttle of the target. CALLER: of what the caller brought. REQUEST: of this one alone.
typedef int64_t fuseboard_failure_scope;
enum {
  FUSEBOARD_SCOPE_UNNAMED = 0,
  FUSEBOARD_SCOPE_MODEL = 1,
  FUSEBOARD_SCOPE_ENDPOINT = 2,
  FUSEBOARD_SCOPE_CALLER = 3,
  FUSEBOARD_SCOPE_REQUEST = 4
};

typedef struct fuseboard_failure {
  size_t struct_size;
  fuseboard_category category;
  fuseboard_evidence evidence;
  int64_t retry_after_ms;  // the server's hint; FUSEBOARD_NONE_MS: it gave none
  bool retryable;
  bool fallback;
  fuseboard_failure_scope scope;
} fuseboard_failure;

// A failure with the properties of its category. Sets struct_size. FUSEBOARD_INVALID_ARGUMENT: no such category, or a
// retry_after_ms that is negative and not FUSEBOARD_NONE_MS.
fuseboard_status fuseboard_failure_init(fuseboard_failure* failure, fuseboard_category category,
                                        int64_t retry_after_ms) FUSEBOARD_NOEXCEPT;

// Judges a failed HTTP answer by its status and what the body said: `error.code`, `error.type` and the provider's own
// message, each NULL where there is none. Sets the whole of `failure`, struct_size included.
fuseboard_status fuseboard_classify_http(int32_t status, const char* error_code, const char* error_type,
                                         const char* error_message, int64_t retry_after_ms,
                                         fuseboard_failure* failure) FUSEBOARD_NOEXCEPT;

// ---- Refusals and circuits ----------------------------------------------------------------------------------------

typedef int32_t fuseboard_reason;
enum {
  FUSEBOARD_REASON_CIRCUIT_OPEN = 0,
  FUSEBOARD_REASON_HALF_OPEN_BUSY = 1,  // its probes are in flight
  FUSEBOARD_REASON_DEADLINE_EXCEEDED = 2,
  FUSEBOARD_REASON_RATE_LIMITED = 3,
  FUSEBOARD_REASON_CONCURRENCY_LIMITED = 4,
  FUSEBOARD_REASON_QUEUE_FULL = 5,
  // Of calls under a plan alone.
  FUSEBOARD_REASON_BUDGET_EXCEEDED = 6,
  FUSEBOARD_REASON_PRICE_MISSING = 7,
  FUSEBOARD_REASON_CREDENTIAL_PARKED = 8,
  FUSEBOARD_REASON_NOT_ELIGIBLE = 9  // what has failed before in the call, or what it is bound to, rules the target out
};
// "circuit_open", ...; NULL for another number. Constant.
const char* fuseboard_reason_name(fuseboard_reason reason) FUSEBOARD_NOEXCEPT;

// Why not, and when asking again is worthwhile. Nothing in this library waits for it.
typedef struct fuseboard_rejection {
  size_t struct_size;
  fuseboard_reason reason;
  uint32_t consecutive_failures;    // of the circuit that refused
  fuseboard_category last_failure;  // that it counted
  int64_t retry_after_ms;           // rounded up; FUSEBOARD_NONE_MS: no wait is known to help
} fuseboard_rejection;

typedef int32_t fuseboard_circuit_state;
enum { FUSEBOARD_CIRCUIT_CLOSED = 0, FUSEBOARD_CIRCUIT_OPEN = 1, FUSEBOARD_CIRCUIT_HALF_OPEN = 2 };
// "closed", "open", "half_open"; NULL for another number. Constant.
const char* fuseboard_circuit_state_name(fuseboard_circuit_state state) FUSEBOARD_NOEXCEPT;

// One circuit at one time. The state and what belongs to it are consistent, the counts may miss what happens meanwhile.
typedef struct fuseboard_circuit {
  size_t struct_size;
  fuseboard_circuit_state state;
  uint32_t consecutive_failures;
  fuseboard_category last_failure;
  uint32_t probes_in_flight;
  int64_t remaining_ms;  // until a probe is let through; 0 unless open
  int64_t open_time_ms;  // of the current open time, or what the next would be
  uint64_t generation;   // a number for each period; 0: the key is unknown
  uint64_t times_opened;
  uint64_t denials;
  uint64_t in_flight;
  uint64_t admitted;
  uint64_t succeeded;
  uint64_t failed;
  uint64_t throttled;
  uint64_t neutral;
  uint64_t abandoned;
} fuseboard_circuit;

typedef int32_t fuseboard_breaker_preset;
enum { FUSEBOARD_PRESET_PROVIDER = 0, FUSEBOARD_PRESET_TOOL = 1, FUSEBOARD_PRESET_STRICT_PROVIDER = 2 };

// How a breaker is set up; ranges are those of fuseboard/breaker/options.h.
typedef struct fuseboard_breaker_options {
  size_t struct_size;
  uint32_t failure_threshold;  // failures in a row that open it; 0 beside another rule: no such rule
  uint32_t half_open_max_probes;
  uint32_t half_open_successes;
  uint32_t minimum_calls;         // in the window before a rate means anything
  uint32_t window_calls;          // rates are taken over so many calls; 0: over window_ms
  uint32_t trips_on;              // the categories that count: 1u << category for each
  double failure_rate;            // of the window that opens it; 0: no such rule
  double slow_call_rate;          // likewise
  int64_t slow_call_ms;           // a call that takes longer is slow
  int64_t window_ms;              // 0 beside window_calls
  int64_t stuck_call_ms;          // a call in flight for longer opens it; 0: no such rule
  int64_t open_initial_ms;        // the first open time
  int64_t open_max_ms;            // where its growth stops
  double open_factor;             // by which a failed probe makes it grow; 1: not at all
  double open_jitter;             // ± this fraction
  int64_t probe_lease_ms;         // an unsettled probe is lost after it
  int64_t retry_after_max_ms;     // longest retry-after honored; 0: ignore
  bool abandoned_is_failure;      // whether a permit that is given back unsettled counts as a failure
  int32_t silence_threshold;      // attempts that outlasted their patience on a silent target; 0: never,
                                  // -1: the failure threshold, at least 3; 5 where that is 0
  double half_open_failure_rate;  // of half_open_max_probes settled probes that opens it again, in place of
                                  // half_open_successes; 0: no such rule
  uint32_t failures_within;       // so many failures within failures_within_ms open it; 0: no such rule
  int64_t failures_within_ms;
  int64_t failure_run_expires_ms;  // failures in a row that began longer ago count no more; 0: they do
} fuseboard_breaker_options;

// Fills in a preset. FUSEBOARD_INVALID_ARGUMENT: no such preset.
fuseboard_status fuseboard_breaker_options_init(fuseboard_breaker_options* options,
                                                fuseboard_breaker_preset preset) FUSEBOARD_NOEXCEPT;

// ---- Tool guard ---------------------------------------------------------------------------------------------------

// A circuit breaker and a rate limit for each tool, found by its name. See fuseboard/tools/tool_guard.h.
typedef struct fuseboard_tool_guard fuseboard_tool_guard;
// Permission for one call of a tool. Not thread-safe by itself; it keeps alive what it needs of its guard.
typedef struct fuseboard_tool_permit fuseboard_tool_permit;

typedef int32_t fuseboard_priority;
enum {
  FUSEBOARD_PRIORITY_LOW = 0,
  FUSEBOARD_PRIORITY_NORMAL = 1,
  FUSEBOARD_PRIORITY_HIGH = 2,
  FUSEBOARD_PRIORITY_CRITICAL = 3
};
typedef int32_t fuseboard_priority_mode;
enum {
  FUSEBOARD_PRIORITIES_ALIKE = 0,
  FUSEBOARD_PRIORITIES_RESERVE = 1,       // low, normal and high leave 50, 20 and 5 % of the burst to those above
  FUSEBOARD_PRIORITIES_WEIGHTED_COST = 2  // a call costs 2, 1, 0.5 or 0.1 tokens
};

typedef struct fuseboard_tool_options {
  size_t struct_size;
  const fuseboard_breaker_options* breaker;  // NULL: FUSEBOARD_PRESET_TOOL
  double rate;                               // tokens a second; 0: no limit
  double burst;                              // tokens that may go at once
  fuseboard_priority_mode priorities;
  bool cancelled_is_failure;
} fuseboard_tool_options;
// The defaults: 2 a second, a burst of 10, weighted costs. FUSEBOARD_INVALID_ARGUMENT: NULL.
fuseboard_status fuseboard_tool_options_init(fuseboard_tool_options* options) FUSEBOARD_NOEXCEPT;

// Options for the tools that a name or a pattern means. No struct_size: an array is made of them.
typedef struct fuseboard_tool_rule {
  const char* tool;                       // a name, or a pattern with '*' and '?'
  bool is_pattern;                        // names win over patterns, earlier patterns over later ones
  const fuseboard_tool_options* options;  // NULL: the defaults
} fuseboard_tool_rule;

typedef struct fuseboard_tool_guard_options {
  size_t struct_size;
  const fuseboard_tool_options* defaults;  // NULL: those of fuseboard_tool_options_init()
  const fuseboard_tool_rule* rules;
  size_t rule_count;
  size_t max_tools;  // held at once; 1 to 1 000 000
  // A clock of the caller's own, for tests: monotonic nanoseconds, from any thread, without calling back. NULL: the
  // machine's. `clock_user` is passed to it, and both must stay until the guard and its permits are gone.
  int64_t (*clock_now_ns)(void* clock_user);
  void* clock_user;
} fuseboard_tool_guard_options;
// The defaults: no rules, 10 000 tools. FUSEBOARD_INVALID_ARGUMENT: NULL.
fuseboard_status fuseboard_tool_guard_options_init(fuseboard_tool_guard_options* options) FUSEBOARD_NOEXCEPT;

// `options`: NULL for the defaults. The guard is to be destroyed. FUSEBOARD_INVALID_ARGUMENT: an option out of its
// range, and fuseboard_last_error() names them all.
fuseboard_status fuseboard_tool_guard_create(const fuseboard_tool_guard_options* options,
                                             fuseboard_tool_guard** guard) FUSEBOARD_NOEXCEPT;
// Destroys the handle; permits may still be settled. NULL does nothing.
void fuseboard_tool_guard_destroy(fuseboard_tool_guard* guard) FUSEBOARD_NOEXCEPT;

// FUSEBOARD_OK: `*permit` is to be settled or abandoned, once. FUSEBOARD_REJECTED: `*permit` is NULL, and `rejection`,
// unless it is NULL, says why. Never waits. `timeout_ms`: how long the caller will let the call run, or
// FUSEBOARD_NO_TIMEOUT; a probe that is unsettled 5 s after that is lost. Costs an allocation beside the admission.
fuseboard_status fuseboard_tool_try_acquire(fuseboard_tool_guard* guard, const char* tool, fuseboard_priority priority,
                                            int64_t timeout_ms, fuseboard_tool_permit** permit,
                                            fuseboard_rejection* rejection) FUSEBOARD_NOEXCEPT;

typedef int32_t fuseboard_outcome;
enum {
  FUSEBOARD_OUTCOME_SUCCESS = 0,
  FUSEBOARD_OUTCOME_INVALID_ARGUMENT = 1,  // the caller's mistake: never counts against the tool
  FUSEBOARD_OUTCOME_EXECUTION_ERROR = 2,
  FUSEBOARD_OUTCOME_TIMEOUT = 3,
  FUSEBOARD_OUTCOME_CANCELLED = 4  // counts where `cancelled_is_failure` is set
};
// The three consume the permit whatever they return; NULL is FUSEBOARD_INVALID_ARGUMENT, but may be abandoned. What
// cannot be settled as it was meant is abandoned. `latency_ns`: how long the call took, 0 where no rule asks for it.
fuseboard_status fuseboard_tool_settle(fuseboard_tool_permit* permit, fuseboard_outcome outcome,
                                       int64_t latency_ns) FUSEBOARD_NOEXCEPT;
fuseboard_status fuseboard_tool_settle_failure(fuseboard_tool_permit* permit, const fuseboard_failure* failure,
                                               int64_t latency_ns) FUSEBOARD_NOEXCEPT;
void fuseboard_tool_abandon(fuseboard_tool_permit* permit) FUSEBOARD_NOEXCEPT;

// A tool's limit at one time.
typedef struct fuseboard_tool_limit {
  size_t struct_size;
  bool limited;           // else the next three are 0
  double rate;            // tokens a second
  double burst;           // tokens
  double available;       // tokens; 0 to burst
  int64_t paused_for_ms;  // how long the tool is left alone because it asked for that; 0: it did not
} fuseboard_tool_limit;

// Both outputs may be NULL. An unknown tool reads closed and zero, its bucket full; asking creates nothing.
fuseboard_status fuseboard_tool_snapshot(const fuseboard_tool_guard* guard, const char* tool,
                                         fuseboard_circuit* circuit, fuseboard_tool_limit* limit) FUSEBOARD_NOEXCEPT;
// Calls `visit` for every tool, on this thread, with no lock held; what it is given is valid during the call. It must
// return: neither throw nor jump.
typedef void (*fuseboard_tool_visitor)(const char* tool, const fuseboard_circuit* circuit,
                                       const fuseboard_tool_limit* limit, void* user);
fuseboard_status fuseboard_tool_visit_all(const fuseboard_tool_guard* guard, fuseboard_tool_visitor visit,
                                          void* user) FUSEBOARD_NOEXCEPT;

// Since the guard was made, tools that were let go of included.
typedef struct fuseboard_tool_totals {
  size_t struct_size;
  uint64_t admitted;
  uint64_t untracked;  // of them: of tools that could not be held
  uint64_t denied_circuit_open;
  uint64_t denied_half_open_busy;
  uint64_t denied_rate_limited;
  uint64_t succeeded;
  uint64_t invalid_argument;
  uint64_t execution_error;
  uint64_t timeout;
  uint64_t cancelled;
  uint64_t judged;  // by fuseboard_tool_settle_failure()
  uint64_t abandoned;
  uint64_t opened;  // transitions of all circuits
  uint64_t half_opened;
  uint64_t closed;
} fuseboard_tool_totals;
fuseboard_status fuseboard_tool_get_totals(const fuseboard_tool_guard* guard,
                                           fuseboard_tool_totals* totals) FUSEBOARD_NOEXCEPT;

// Closes the circuit, fills the bucket, forgets what the tool asked for. FUSEBOARD_NOT_FOUND: an unknown tool.
fuseboard_status fuseboard_tool_reset(fuseboard_tool_guard* guard, const char* tool) FUSEBOARD_NOEXCEPT;
fuseboard_status fuseboard_tool_reset_all(fuseboard_tool_guard* guard) FUSEBOARD_NOEXCEPT;
// Circuits that are open, half-open ones not counted; 0 for NULL.
size_t fuseboard_tool_open_count(const fuseboard_tool_guard* guard) FUSEBOARD_NOEXCEPT;
// Whether so many circuits would refuse now that whoever drives the calls should stop for a while: one whose open time
// is over counts no more, though nobody has asked it yet. False for NULL.
bool fuseboard_tool_should_pause(const fuseboard_tool_guard* guard, size_t max_open) FUSEBOARD_NOEXCEPT;

// ---- Breakers by themselves ---------------------------------------------------------------------------------------

// Circuit breakers by name, or by provider and model. See fuseboard/breaker/registry.h.
typedef struct fuseboard_breakers fuseboard_breakers;
// Permission for one attempt. Not thread-safe by itself; it keeps alive what it needs of its breakers.
typedef struct fuseboard_breaker_permit fuseboard_breaker_permit;

// `options`: of every breaker; NULL for FUSEBOARD_PRESET_PROVIDER. `max_keys`: 1 to 1 000 000; 0 for the default,
// 10 000. A clock as in fuseboard_tool_guard_options, or NULL: that of the targets, plans
// and calls made of them, too.
fuseboard_status fuseboard_breakers_create(const fuseboard_breaker_options* options, size_t max_keys,
                                           int64_t (*clock_now_ns)(void* clock_user), void* clock_user,
                                           fuseboard_breakers** breakers) FUSEBOARD_NOEXCEPT;
// Destroys the handle; permits may still be settled. NULL does nothing.
void fuseboard_breakers_destroy(fuseboard_breakers* breakers) FUSEBOARD_NOEXCEPT;

// As fuseboard_tool_try_acquire(). `model`: NULL where `provider` is the whole name. `probe_lease_ms`: when an
// unsettled probe is lost, or FUSEBOARD_NONE_MS for that of the options.
fuseboard_status fuseboard_breaker_try_acquire(fuseboard_breakers* breakers, const char* provider, const char* model,
                                               int64_t probe_lease_ms, fuseboard_breaker_permit** permit,
                                               fuseboard_rejection* rejection) FUSEBOARD_NOEXCEPT;
// Consumes the permit. `failure`: NULL for a success.
fuseboard_status fuseboard_breaker_settle(fuseboard_breaker_permit* permit, const fuseboard_failure* failure,
                                          int64_t latency_ns) FUSEBOARD_NOEXCEPT;
// Consumes the permit; NULL does nothing.
void fuseboard_breaker_abandon(fuseboard_breaker_permit* permit) FUSEBOARD_NOEXCEPT;

// An unknown key reads closed and zero.
fuseboard_status fuseboard_breaker_snapshot(const fuseboard_breakers* breakers, const char* provider, const char* model,
                                            fuseboard_circuit* circuit) FUSEBOARD_NOEXCEPT;
// FUSEBOARD_NOT_FOUND: an unknown key.
fuseboard_status fuseboard_breaker_reset(fuseboard_breakers* breakers, const char* provider,
                                         const char* model) FUSEBOARD_NOEXCEPT;
// As of tools.
size_t fuseboard_breakers_open_count(const fuseboard_breakers* breakers) FUSEBOARD_NOEXCEPT;
bool fuseboard_breakers_should_pause(const fuseboard_breakers* breakers, size_t max_open) FUSEBOARD_NOEXCEPT;

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // FUSEBOARD_C_FUSEBOARD_H_
