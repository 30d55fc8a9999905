// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A call over two targets, in C: the first one fails, is tried once more, and the second one answers.

#include "fuseboard/c/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

// One request and its answer.
typedef struct request {
  const char* prompt;
  const char* answer;
} request;

// Stands for your client: the first provider is down.
static bool ask_provider(const char* target, request* question) {
  if (target[0] == 'o') return false;
  question->answer = "forty-two";
  return true;
}

// The whole integration: send one attempt, then say how it ended.
static void send_attempt(void* user, fuseboard_call* call, const fuseboard_attempt* attempt) {
  request* const question = user;
  fuseboard_report report = FUSEBOARD_INIT(fuseboard_report);
  fuseboard_failure failure;
  if (ask_provider(attempt->target_name, question)) {
    report.answered = true;
    report.has_usage = true;
    report.input_tokens = 12;
    report.output_tokens = 3;
  } else {
    // Of an HTTP answer, fuseboard_classify_http() says which failure it is.
    fuseboard_failure_init(&failure, FUSEBOARD_CATEGORY_SERVICE_UNAVAILABLE, FUSEBOARD_NONE_MS);
    report.failure = &failure;
  }
  printf("attempt %u: %s %s\n", (unsigned)attempt->number, attempt->target_name, report.answered ? "answers" : "fails");
  fuseboard_call_report(call, attempt->number, &report);
}

static fuseboard_target* create_target(const fuseboard_breakers* breakers, const char* provider, const char* model) {
  fuseboard_target_options options;
  fuseboard_target_options_init(&options);
  options.breakers = breakers;
  options.provider = provider;
  options.model = model;
  options.requests_per_minute = 500.0;
  options.concurrency = 32;
  fuseboard_target* target = NULL;
  fuseboard_target_create(&options, &target);
  return target;
}

// What every call shares. A plan keeps what it is made of, so its handle is all that stays.
static fuseboard_plan* create_plan(void) {
  fuseboard_breakers* breakers = NULL;
  fuseboard_breakers_create(NULL, 0, NULL, NULL, &breakers);
  fuseboard_target* const first = create_target(breakers, "openai", "gpt-5");
  fuseboard_target* const second = create_target(breakers, "local", "llama");

  fuseboard_retry_options retry;
  fuseboard_retry_options_init(&retry);
  retry.max_attempts = 2;
  retry.base_ms = 1;
  fuseboard_plan_options options;
  fuseboard_plan_options_init(&options);
  options.name = "smart";
  options.retry = &retry;
  const fuseboard_route routes[] = {{first, NULL}, {second, NULL}};
  fuseboard_plan* plan = NULL;
  if (fuseboard_plan_create(routes, 2, &options, &plan) != FUSEBOARD_OK)
    fprintf(stderr, "%s\n", fuseboard_last_error());

  fuseboard_target_destroy(first);
  fuseboard_target_destroy(second);
  fuseboard_breakers_destroy(breakers);
  return plan;
}

// A budget of 10 000 tokens for all calls together.
static fuseboard_ledger* create_ledger(void) {
  fuseboard_budget_caps caps;
  fuseboard_budget_caps_init(&caps);
  caps.tokens = 10000;
  fuseboard_ledger_options options;
  fuseboard_ledger_options_init(&options);
  options.global = &caps;
  fuseboard_ledger* ledger = NULL;
  fuseboard_ledger_create(&options, &ledger);
  return ledger;
}

static bool print_call(const fuseboard_call* call) {
  fuseboard_call_summary summary = FUSEBOARD_INIT(fuseboard_call_summary);
  if (fuseboard_call_get_summary(call, &summary) != FUSEBOARD_OK) return false;
  char text[2048];
  if (fuseboard_call_explain(call, text, sizeof text, NULL) != FUSEBOARD_OK) return false;
  printf("%s after %u attempts; in full:\n%s", fuseboard_ending_name(summary.ending), (unsigned)summary.attempts_sent,
         text);
  return summary.ending == FUSEBOARD_ENDING_SUCCESS && summary.attempts_sent == 3 && summary.served_by == 1;
}

int main(void) {
  fuseboard_plan* const plan = create_plan();
  fuseboard_ledger* const ledger = create_ledger();

  fuseboard_call_options options;
  fuseboard_call_options_init(&options);
  options.deadline_ms = 10000;
  options.ledger = ledger;
  options.input_tokens = 12;
  options.output_tokens = 100;
  fuseboard_call_callbacks callbacks = FUSEBOARD_INIT(fuseboard_call_callbacks);
  callbacks.send = send_attempt;
  request question = {"What is six times seven?", NULL};

  fuseboard_call* call = NULL;
  if (fuseboard_call_create(plan, &options, &callbacks, &question, &call) != FUSEBOARD_OK ||
      fuseboard_call_run(call) != FUSEBOARD_OK) {
    fprintf(stderr, "%s\n", fuseboard_last_error());
    return 1;
  }
  const bool as_expected = print_call(call) && question.answer != NULL;
  if (as_expected) printf("%s %s\n", question.prompt, question.answer);

  fuseboard_call_destroy(call);
  fuseboard_ledger_destroy(ledger);
  fuseboard_plan_destroy(plan);
  return as_expected ? 0 : 1;
}
