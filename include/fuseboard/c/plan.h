// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What calls run under, for C: targets with breakers and limits, plans over them, budgets. fuseboard/c/call.h runs
// calls.
//
//   fuseboard_target_options options;
//   fuseboard_target_options_init(&options);
//   options.breakers = breakers;
//   options.provider = "openai";
//   options.model = "gpt-5";
//   fuseboard_target* target = NULL;
//   fuseboard_target_create(&options, &target);
//   const fuseboard_route routes[] = {{target, NULL}, ...};
//   fuseboard_plan* plan = NULL;
//   fuseboard_plan_create(routes, 2, NULL, &plan);
//
// The rules of fuseboard/c/fuseboard.h hold here too. A handle is a share of what it names: a target keeps its breakers
// and its credential, a plan its targets, a call its plan, its ledger and its attempt budget. So each handle may be
// destroyed as soon as nobody will name it again, in any order. What calls have learned of a target lives as long as
// anybody has a share of it. To change a plan, make another one of the same targets and use it for the calls that begin
// from then on; calls under way keep theirs.
#ifndef FUSEBOARD_C_PLAN_H_
#define FUSEBOARD_C_PLAN_H_

#include "fuseboard/c/fuseboard.h"

#ifdef __cplusplus
extern "C" {
#endif

// Where an amount of money is: none is given or known. Money is counted in nano-dollars: a dollar is 1 000 000 000.
#define FUSEBOARD_NO_MONEY (-1)

// ---- Targets ------------------------------------------------------------------------------------------------------

// What targets that use the same credential share: one that was refused, or whose account is used up, rests for all of
// them. See fuseboard/route/credentials.h.
typedef struct fuseboard_credential fuseboard_credential;

typedef struct fuseboard_credential_options {
  size_t struct_size;
  int64_t park_ms;         // how long it rests where the failure names no time; 1 s to park_max_ms
  int64_t park_max_ms;     // the longest that a failure's own word is obeyed; 1 s to 24 h
  int64_t probe_lease_ms;  // an unsettled probe is given up after it; 1 s to 24 h
} fuseboard_credential_options;
fuseboard_status fuseboard_credential_options_init(fuseboard_credential_options* options) FUSEBOARD_NOEXCEPT;
// `name`: for records and people; never the secret. `options`: NULL for the defaults.
fuseboard_status fuseboard_credential_create(const char* name, const fuseboard_credential_options* options,
                                             fuseboard_credential** credential) FUSEBOARD_NOEXCEPT;
// NULL does nothing.
void fuseboard_credential_destroy(fuseboard_credential* credential) FUSEBOARD_NOEXCEPT;
// It may be used again at once: it was exchanged, or paid for.
fuseboard_status fuseboard_credential_unpark(fuseboard_credential* credential) FUSEBOARD_NOEXCEPT;

// A place that answers calls, and what all calls to it share: breaker, limits, queue, retry budget, credential.
typedef struct fuseboard_target fuseboard_target;

typedef struct fuseboard_target_options {
  size_t struct_size;
  // The breaker: `provider` and `model`, or `provider` alone where `model` is NULL, in `breakers`. The first two are
  // required. Explanations call the target "provider/model" or "provider".
  const fuseboard_breakers* breakers;
  const char* provider;
  const char* model;
  bool provider_breaker;        // failures to connect count for a breaker of the provider alone, beside the model's
  bool reserve_for_priorities;  // low, normal and high leave 50, 20 and 5 % of both buckets to those above
  uint32_t concurrency;         // attempts in flight; 1 to 1 000 000; 0: no limit
  double requests_per_minute;   // 0.0001 to 6e10; 0: no limit
  double requests_burst;        // 1 to 1e9; 0: a tenth of a minute's, at least 1
  double tokens_per_minute;     // as requests
  double tokens_burst;          // 0: a minute's
  uint32_t queue_capacity;      // calls that wait at once; 1 to 4096
  uint32_t retries_per_second;  // retries that need no calls; 0 to 1 000 000
  double retry_ratio;           // retries a call; 0 to 10
  int64_t queue_max_wait_ms;    // how long a call waits for tokens or a place; 0 (not at all) to 1 h
  int64_t retry_after_max_ms;   // longest retry-after honored; 0 (ignore) to 24 h
  fuseboard_credential* credential;  // NULL: shares it with nobody
} fuseboard_target_options;
// The defaults: no limits, a retry budget of 20 % and 10 a second, a queue of 256. No breaker yet.
fuseboard_status fuseboard_target_options_init(fuseboard_target_options* options) FUSEBOARD_NOEXCEPT;

// FUSEBOARD_INVALID_ARGUMENT: an option out of its range, and fuseboard_last_error() names them all.
fuseboard_status fuseboard_target_create(const fuseboard_target_options* options,
                                         fuseboard_target** target) FUSEBOARD_NOEXCEPT;
// NULL does nothing.
void fuseboard_target_destroy(fuseboard_target* target) FUSEBOARD_NOEXCEPT;

// How much of a target is in use at one time.
typedef struct fuseboard_target_usage {
  size_t struct_size;
  bool limited;  // by requests, tokens or concurrency; else the next three are 0
  uint32_t in_flight;
  double requests_available;  // 0 where requests are not limited
  double tokens_available;    // negative: owed; 0 where tokens are not limited
  uint64_t waiting;           // calls in its queue
} fuseboard_target_usage;
fuseboard_status fuseboard_target_get_usage(const fuseboard_target* target,
                                            fuseboard_target_usage* usage) FUSEBOARD_NOEXCEPT;

// ---- Plans --------------------------------------------------------------------------------------------------------

// Prices of a million tokens each.
typedef struct fuseboard_price {
  size_t struct_size;
  int64_t input_nanos;
  int64_t cached_input_nanos;  // FUSEBOARD_NO_MONEY: as input
  int64_t output_nanos;
} fuseboard_price;

// What one plan says of a target.
typedef struct fuseboard_route_options {
  size_t struct_size;
  // From the start of an attempt; each 1 ms to 24 h.
  int64_t connect_ms;
  int64_t headers_ms;        // streams: until the head of the response
  int64_t first_content_ms;  // streams: until the first text, reasoning or tool call
  int64_t idle_ms;           // streams: between events after that
  int64_t total_ms;
  double weight;                 // for FUSEBOARD_STRATEGY_WEIGHTED
  uint64_t context_window;       // tokens, input and output together; 0: not known
  const fuseboard_price* price;  // NULL: none
  bool price_required;           // calls that are charged for in money are refused while there is no price
} fuseboard_route_options;
// The defaults: 5 s, 30 s, 60 s, 30 s, 10 min; weight 1; no price and none required.
fuseboard_status fuseboard_route_options_init(fuseboard_route_options* options) FUSEBOARD_NOEXCEPT;

// No struct_size: an array is made of them.
typedef struct fuseboard_route {
  const fuseboard_target* target;
  const fuseboard_route_options* options;  // NULL: the defaults
} fuseboard_route;

typedef int32_t fuseboard_jitter;
enum {
  FUSEBOARD_JITTER_NONE = 0,
  FUSEBOARD_JITTER_PROPORTIONAL = 1,  // ± jitter_width
  FUSEBOARD_JITTER_FULL = 2,          // from 0 to the backoff
  FUSEBOARD_JITTER_DECORRELATED = 3   // from the base to three times the last wait
};

typedef int32_t fuseboard_backoff;
enum {
  FUSEBOARD_BACKOFF_EXPONENTIAL = 0,  // base_ms, and `factor` times as much with each further retry
  FUSEBOARD_BACKOFF_LINEAR = 1,       // base_ms, and step_ms more with each further retry
  FUSEBOARD_BACKOFF_LIST = 2          // list_ms, whose last wait holds for all retries after it
};

typedef struct fuseboard_retry_options {
  size_t struct_size;
  uint32_t max_attempts;  // per target and call, the first included; 1 to 100
  fuseboard_jitter jitter;
  int64_t base_ms;         // before the first retry; 0 to 1 h
  int64_t max_ms;          // the longest backoff; base_ms to 24 h
  double factor;           // growth from retry to retry; 1 to 10
  bool honor_retry_after;  // a server's hint replaces a shorter backoff
  int64_t step_ms;         // 0 to 1 h
  const int64_t* list_ms;  // as BackoffList of fuseboard/retry/backoff.h; copied
  size_t list_count;
  double jitter_width;  // of proportional jitter, to either side; 0 to 1
  fuseboard_backoff backoff;
} fuseboard_retry_options;
// The defaults: 4 attempts, 500 ms doubling to 30 s, full jitter, hints honoured; steps of 500 ms, a width of 0.2.
fuseboard_status fuseboard_retry_options_init(fuseboard_retry_options* options) FUSEBOARD_NOEXCEPT;

// In place of the plan's retry options for failures of one category. No struct_size: an array is made of them.
typedef struct fuseboard_retry_rule {
  fuseboard_category category;
  const fuseboard_retry_options* options;  // NULL: the defaults
} fuseboard_retry_rule;

typedef int32_t fuseboard_strategy;
enum {
  FUSEBOARD_STRATEGY_ORDERED = 0,  // as the plan lists its targets
  FUSEBOARD_STRATEGY_WEIGHTED = 1,
  FUSEBOARD_STRATEGY_LEAST_LATENCY = 2
};

#define FUSEBOARD_PATIENCE_AUTO INT64_C(0)
#define FUSEBOARD_PATIENCE_OFF INT64_C(-1)

typedef struct fuseboard_plan_options {
  size_t struct_size;
  const char* name;                      // for explanations; NULL: "call"
  const fuseboard_retry_options* retry;  // NULL: the defaults
  const fuseboard_retry_rule* retry_rules;
  size_t retry_rule_count;
  int64_t overall_deadline_ms;  // of starts, waits and everything before the first content; 1 ms to 24 h, or
                                // FUSEBOARD_NO_TIMEOUT
  uint32_t max_total_attempts;  // across retries, fallbacks and hedges; 0 (no cap) to 1000
  uint32_t fallback_on;         // categories that fall back only when named: 1u << category; content_policy is the one
  fuseboard_strategy strategy;
  bool hedge;                    // a second attempt beside one that takes long; see fuseboard/pipeline/plan.h
  int64_t max_recovery_wait_ms;  // where every circuit is open, the longest recovery to wait for; 0 to 1 h
  double hedge_percentile;       // after this share of the target's latencies; 0.5 to 0.9999
  int64_t hedge_after_ms;        // after this long in its place; 1 ms to 1 h, or FUSEBOARD_NONE_MS
  uint64_t seed;                 // of jitter and of weighted orders; 0: a random one
  // How long an attempt that shows nothing is waited for alone: 1 ms to 1 h, FUSEBOARD_PATIENCE_AUTO (as its target's
  // latencies say) or FUSEBOARD_PATIENCE_OFF; see fuseboard/retry/patience.h.
  int64_t patience_ms;
  int64_t retry_after_stay_ms;  // a longer retry-after leads to another target, where one is left; 0 to 1 h
} fuseboard_plan_options;
// The defaults: 10 min, 8 attempts, in order, a recovery of up to 10 s is waited for, no hedges, company for attempts
// that outlast their patience, a retry-after of up to 2 s is waited out where it was asked for.
fuseboard_status fuseboard_plan_options_init(fuseboard_plan_options* options) FUSEBOARD_NOEXCEPT;

// The targets of a call and its rules. Immutable.
typedef struct fuseboard_plan fuseboard_plan;

// `routes`: 1 to 64, the first to be asked first, all of breakers with one clock, which is the calls' too. `options`:
// NULL for the defaults. FUSEBOARD_INVALID_ARGUMENT: an option out of its range, and fuseboard_last_error() names them
// all.
fuseboard_status fuseboard_plan_create(const fuseboard_route* routes, size_t route_count,
                                       const fuseboard_plan_options* options, fuseboard_plan** plan) FUSEBOARD_NOEXCEPT;
// NULL does nothing. Calls under way keep their plan.
void fuseboard_plan_destroy(fuseboard_plan* plan) FUSEBOARD_NOEXCEPT;
// By its place among the routes; NULL where there is none. Valid as long as the plan.
const char* fuseboard_plan_target_name(const fuseboard_plan* plan, uint32_t target) FUSEBOARD_NOEXCEPT;

// ---- Budgets ------------------------------------------------------------------------------------------------------

// Caps on tokens, money and rounds over all calls, by key and by session. See fuseboard/budget/ledger.h.
typedef struct fuseboard_ledger fuseboard_ledger;

typedef int32_t fuseboard_period;
enum { FUSEBOARD_PERIOD_TOTAL = 0, FUSEBOARD_PERIOD_DAILY = 1, FUSEBOARD_PERIOD_MONTHLY = 2 };

typedef struct fuseboard_budget_caps {
  size_t struct_size;
  uint64_t tokens;          // input and output together; 0: no cap
  uint64_t rounds;          // attempts sent; 0: no cap
  int64_t usd_nanos;        // FUSEBOARD_NO_MONEY: no cap; 0: only what costs nothing
  fuseboard_period period;  // in UTC
} fuseboard_budget_caps;
// No caps.
fuseboard_status fuseboard_budget_caps_init(fuseboard_budget_caps* caps) FUSEBOARD_NOEXCEPT;

// No struct_size: an array is made of them.
typedef struct fuseboard_budget_key {
  const char* key;
  const fuseboard_budget_caps* caps;  // NULL: no caps
} fuseboard_budget_key;

typedef struct fuseboard_ledger_options {
  size_t struct_size;
  const fuseboard_budget_caps* global;  // NULL: no caps
  const fuseboard_budget_key* keys;     // one that is not named has no level of its own
  size_t key_count;
  const fuseboard_budget_caps* session;  // of each alike; NULL: sessions are not told apart
  // Held at once, of all keys that are not named here and of one that is; 1 to 1 000 000. A session that has spent is
  // forgotten 24 hours after its last use, and no sooner: where there is no room, a new one is refused.
  size_t max_sessions;
  size_t max_sessions_per_key;
} fuseboard_ledger_options;
fuseboard_status fuseboard_ledger_options_init(fuseboard_ledger_options* options) FUSEBOARD_NOEXCEPT;

// FUSEBOARD_INVALID_ARGUMENT: an option out of its range, and fuseboard_last_error() names them all.
fuseboard_status fuseboard_ledger_create(const fuseboard_ledger_options* options,
                                         fuseboard_ledger** ledger) FUSEBOARD_NOEXCEPT;
// NULL does nothing.
void fuseboard_ledger_destroy(fuseboard_ledger* ledger) FUSEBOARD_NOEXCEPT;

// What one level has spent in its period, and holds back for attempts in flight.
typedef struct fuseboard_budget_level {
  size_t struct_size;
  uint64_t tokens;
  uint64_t rounds;
  int64_t usd_nanos;
  uint64_t reserved_tokens;
  uint64_t reserved_rounds;
  int64_t reserved_usd_nanos;
  uint64_t open_reservations;
  uint64_t rejections;
  uint64_t overruns;  // charges above what was reserved
} fuseboard_budget_level;
// `key` NULL: the global level; `session` NULL: the key's. FUSEBOARD_NOT_FOUND: no such level is held.
fuseboard_status fuseboard_ledger_get_level(const fuseboard_ledger* ledger, const char* key, const char* session,
                                            fuseboard_budget_level* level) FUSEBOARD_NOEXCEPT;
// Forgets what the level has spent; what is held back stays.
fuseboard_status fuseboard_ledger_reset(fuseboard_ledger* ledger, const char* key,
                                        const char* session) FUSEBOARD_NOEXCEPT;

// A number of attempts that several calls draw on, those of one agent's step, say.
typedef struct fuseboard_attempt_budget fuseboard_attempt_budget;

// `attempts`: 0 for no cap.
fuseboard_status fuseboard_attempt_budget_create(uint32_t attempts,
                                                 fuseboard_attempt_budget** budget) FUSEBOARD_NOEXCEPT;
// NULL does nothing.
void fuseboard_attempt_budget_destroy(fuseboard_attempt_budget* budget) FUSEBOARD_NOEXCEPT;
// UINT32_MAX where there is no cap; 0 for NULL.
uint32_t fuseboard_attempt_budget_left(const fuseboard_attempt_budget* budget) FUSEBOARD_NOEXCEPT;

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // FUSEBOARD_C_PLAN_H_
