// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A call's explanation in words.

#include <string>

#include "fuseboard/core/category.h"
#include "fuseboard/pipeline/explanation.h"

namespace fuseboard {
namespace {

class Writer {
 public:
  Writer(const CallRecord& record, const Plan& plan) : record_(record), plan_(plan) {}

  std::string write() {
    add("call to '").add(plan_.name()).add("': ").add(name(record_.ending)).add(" after ").add(record_.duration());
    if (record_.cache != CacheUse::bypass) add(", cache ").add(name(record_.cache));
    if (record_.served_by) add(", served by ").add_target(*record_.served_by);
    if (record_.retry_after) add(", retry after ").add(*record_.retry_after);
    write(record_.origin);
    if (record_.status != 0) add(", returned to the caller: ").add(std::uint64_t{record_.status});
    add("\ncandidates:");
    for (const std::uint32_t target : record_.candidates) add(" ").add_target(target);
    add("\n");
    for (const RejectionRecord& rejection : record_.rejections) write(rejection);
    dropped(record_.rejections.dropped(), "refusals");
    for (const auto& target : record_.not_asked) add("not asked: ").add(target.view()).add("\n");
    for (const WaitRecord& wait : record_.waits) write(wait);
    dropped(record_.waits.dropped(), "waits");
    for (const AttemptRecord& attempt : record_.attempts) write(attempt);
    dropped(record_.attempts.dropped(), "attempts");
    return std::move(text_);
  }

 private:
  Writer& add(std::string_view text) {
    text_ += text;
    return *this;
  }
  Writer& add(Duration duration) { return add(to_text(duration)); }
  Writer& add(std::uint64_t number) { return add(std::to_string(number)); }
  Writer& add_target(std::uint32_t target) { return add(plan_.targets()[target].name); }

  void write(const CallOrigin& origin) {
    if (!origin.caller.empty()) add(", of ").add(origin.caller.view());
    if (!origin.endpoint.empty()) add(", at ").add(origin.endpoint.view());
    if (!origin.dialect.empty()) add(" (").add(origin.dialect.view()).add(")");
  }

  void write(const RejectionRecord& rejection) {
    add("not sent to ").add_target(rejection.target).add(": ").add(name(rejection.reason));
    if (rejection.retry_after) add(" for ").add(*rejection.retry_after);
    if (rejection.consecutive_failures > 0) add(", ").add(rejection.consecutive_failures).add(" failures in a row");
    if (rejection.last_failure) add(", last ").add(name(*rejection.last_failure));
    if (rejection.kind) {
      add(", ").add(name(rejection.level)).add(" ").add(name(*rejection.kind)).add(": ").add(rejection.consumed);
      add(" used + ").add(rejection.reserved).add(" reserved + ").add(rejection.requested).add(" asked for > ");
      add(rejection.limit);
    }
    add("\n");
  }

  void write(const WaitRecord& wait) {
    add("waited ").add(wait.duration).add(" for ").add_target(wait.target).add(": ").add(name(wait.reason)).add("\n");
  }

  void write(const AttemptRecord& attempt) {
    add("attempt ").add(attempt.number).add(" on ").add_target(attempt.target);
    if (attempt.probe) add(" (probe)");
    if (attempt.hedge) add(" (hedge)");
    if (attempt.company) add(" (company)");
    if (attempt.recovery) add(" (recovery)");
    if (attempt.resent) add(" (sent again, as the kept connection had died)");
    add(" at +").add(elapsed(record_.started, attempt.started)).add(": ");
    if (attempt.unusable) add("unusable, ");
    if (attempt.overtaken) add("overtaken by its company, ");
    if (attempt.cut) add("cut by the call's deadline, ");
    add(attempt.failure ? name(attempt.failure->category) : std::string_view("success"));
    if (attempt.failure && attempt.failure->scope != FailureScope::unnamed) {
      add(" of the ").add(name(attempt.failure->scope)).add(" alone");
    }
    add(" after ").add(attempt.duration).add(", verdict ").add(name(attempt.verdict));
    if (attempt.first_sign) add(", first sign of work after ").add(*attempt.first_sign);
    if (attempt.first_content) add(", first content after ").add(*attempt.first_content);
    if (attempt.failure && attempt.failure->retry_after) add(", asked for ").add(*attempt.failure->retry_after);
    if (attempt.charged) {
      add(", charged ").add(attempt.charged->charged.tokens).add(" tokens and ");
      add(to_text(attempt.charged->charged.cost)).add(" USD");
      if (attempt.charged->overrun) add(" (overrun)");
      if (attempt.charged->understated) add(" (the provider reported less than a quarter of the observed tokens)");
    }
    if (const AttemptNote* const note = record_.note_of(attempt.number)) write(*note);
    add("\n");
  }

  void write(const AttemptNote& note) {
    if (!note.upstream_request_id.empty()) add(", request id there ").add(note.upstream_request_id);
    if (!note.cause.empty()) add("; ").add(note.cause);
  }

  void dropped(std::uint64_t count, std::string_view what) {
    if (count > 0) add("(").add(count).add(" more ").add(what).add(" are not kept)\n");
  }

  const CallRecord& record_;
  const Plan& plan_;
  std::string text_;
};

}  // namespace

std::string explain(const CallRecord& record, const Plan& plan) { return Writer(record, plan).write(); }

}  // namespace fuseboard
