// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/behaviour.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <optional>

#include "fuseboard/core/check.h"
#include "sim/json_text.h"
#include "sim/text_rules.h"

namespace fuseboard::sim {
namespace {

using Opening = PlannedFault::Opening;
using Ending = PlannedFault::Ending;
using Content = PlannedFault::Content;

void refuse(PlannedFault& planned, ErrorKind kind, int status = 0) {
  planned.opening = Opening::kError;
  planned.error = kind;
  planned.status = status;
}

void end_after(const Use& use, PlannedFault& planned, Ending ending) {
  planned.ending = ending;
  planned.after_tokens = use.parameter.count;
}

// Up first, then down, in turns of equal length.
bool is_down(const Use& use) {
  if (use.parameter.is_duration) {
    const Duration::rep window = std::max<Duration::rep>(use.parameter.duration.count(), 1);
    return use.since_reset.count() / window % 2 == 1;
  }
  return use.nth / std::max<std::uint64_t>(use.parameter.count, 1) % 2 == 1;
}

// One row a behaviour. The summaries are what users read: docs/simulated-provider.md repeats them, checked by a test.
constexpr std::array kTable = {
    Behaviour{"sim-ok", ParameterKind::kNone, "",
              "answers properly, as every name does that does not begin with `sim-`", [](const Use&, PlannedFault&) {}},
    Behaviour{"sim-echo", ParameterKind::kNone, "", "answers with the last user message",
              [](const Use&, PlannedFault& planned) { planned.content = Content::kEcho; }},
    Behaviour{
        "sim-inspect", ParameterKind::kNone, "",
        "answers with a JSON text of the request as it came: `method`, `target`, `headers` (credentials too), `body`",
        [](const Use&, PlannedFault& planned) { planned.content = Content::kInspect; }},
    Behaviour{"sim-long", ParameterKind::kCount, "400", "answers with that many tokens",
              [](const Use& use, PlannedFault& planned) { planned.tokens = use.parameter.count; }},
    Behaviour{
        "sim-tool-call", ParameterKind::kNone, "",
        "calls the request's first tool (`get_weather` if it has none); answers in words once it sees a tool's result",
        [](const Use&, PlannedFault& planned) { planned.content = Content::kToolCall; }},
    Behaviour{
        "sim-tool-calls", ParameterKind::kCount, "2",
        "makes that many calls at once, one of each of the first tools, or all of the first where there are fewer",
        [](const Use& use, PlannedFault& planned) {
          planned.content = Content::kToolCall;
          planned.calls = use.parameter.count;
        }},
    Behaviour{"sim-reasoning", ParameterKind::kCount, "12",
              "says that many tokens of reasoning before the answer: `reasoning_content`, a `thinking` block or a "
              "`reasoning` item",
              [](const Use& use, PlannedFault& planned) { planned.reasoning_tokens = use.parameter.count; }},
    Behaviour{
        "sim-thinking-pings", ParameterKind::kDuration, "2s",
        "thinks for that long and shows only that it has begun to, and pings; a plain answer waits before its head",
        [](const Use& use, PlannedFault& planned) { planned.hidden_thinking = use.parameter.duration; }},
    Behaviour{"sim-no-prefill", ParameterKind::kNone, "",
              "400 for a conversation that ends with an assistant's message",
              [](const Use&, PlannedFault& planned) { planned.prefill = PlannedFault::Prefill::kRefused; }},
    Behaviour{"sim-ignores-prefill", ParameterKind::kNone, "",
              "answers a conversation that ends with an assistant's message with another text from the beginning",
              [](const Use&, PlannedFault& planned) { planned.prefill = PlannedFault::Prefill::kIgnored; }},
    Behaviour{"sim-no-usage", ParameterKind::kNone, "", "tells no usage",
              [](const Use&, PlannedFault& planned) { planned.usage = UsageForm::kNone; }},
    Behaviour{"sim-usage-text", ParameterKind::kNone, "", "tells its usage as text: `\"57\"`",
              [](const Use&, PlannedFault& planned) { planned.usage = UsageForm::kText; }},
    Behaviour{"sim-usage-negative", ParameterKind::kNone, "", "tells its usage below zero: `-57`",
              [](const Use&, PlannedFault& planned) { planned.usage = UsageForm::kNegative; }},
    Behaviour{"sim-usage-exponent", ParameterKind::kNone, "", "tells its usage with exponents: `57e0`",
              [](const Use&, PlannedFault& planned) { planned.usage = UsageForm::kExponent; }},
    Behaviour{"sim-usage-low", ParameterKind::kNone, "", "tells a usage of one token, whatever it was",
              [](const Use&, PlannedFault& planned) { planned.usage = UsageForm::kLow; }},
    Behaviour{"sim-ignores-max-tokens", ParameterKind::kNone, "",
              "says as much as it likes, whatever `max_tokens` says",
              [](const Use&, PlannedFault& planned) { planned.ignores_max_tokens = true; }},
    Behaviour{"sim-fat-events", ParameterKind::kCount, "100",
              "streams that many tokens of text in each event, which counts as one where others count tokens",
              [](const Use& use, PlannedFault& planned) { planned.event_tokens = use.parameter.count; }},
    Behaviour{"sim-no-stream-options", ParameterKind::kNone, "",
              "400 for a request with `stream_options`, which it names",
              [](const Use&, PlannedFault& planned) { planned.stream_options = StreamOptions::kRefused; }},
    Behaviour{"sim-no-stream-options-blunt", ParameterKind::kNone, "",
              "400 for a request with `stream_options`, without a reason",
              [](const Use&, PlannedFault& planned) { planned.stream_options = StreamOptions::kRefusedBluntly; }},
    Behaviour{"sim-refusal", ParameterKind::kNone, "",
              "200 with an empty answer that ends in `content_filter` (OpenAI) or `refusal` (Anthropic)",
              [](const Use&, PlannedFault& planned) { planned.content = Content::kRefusal; }},
    Behaviour{"sim-slow-first-token", ParameterKind::kDuration, "2s",
              "sends the head at once and waits before the first content; a plain answer waits before its head",
              [](const Use& use, PlannedFault& planned) { planned.first_token_wait = use.parameter.duration; }},
    Behaviour{"sim-slow", ParameterKind::kDuration, "200ms", "waits that long before every token",
              [](const Use& use, PlannedFault& planned) { planned.token_gap = use.parameter.duration; }},
    Behaviour{"sim-stream-as-json", ParameterKind::kNone, "", "calls a stream `application/json`",
              [](const Use&, PlannedFault& planned) { planned.label = PlannedFault::Label::kJson; }},
    Behaviour{"sim-untyped", ParameterKind::kNone, "", "sends no `content-type`",
              [](const Use&, PlannedFault& planned) { planned.label = PlannedFault::Label::kNone; }},
    Behaviour{"sim-json-as-stream", ParameterKind::kNone, "",
              "answers plainly, also where a stream was asked for, and calls it `text/event-stream`",
              [](const Use&, PlannedFault& planned) { planned.label = PlannedFault::Label::kEvents; }},
    Behaviour{"sim-split-events", ParameterKind::kNone, "", "sends each event of a stream in two pieces",
              [](const Use&, PlannedFault& planned) { planned.split_events = true; }},
    Behaviour{"sim-stream-cut", ParameterKind::kCount, "3",
              "cuts the connection after that many tokens; a plain answer is cut in its middle",
              [](const Use& use, PlannedFault& planned) { end_after(use, planned, Ending::kCut); }},
    Behaviour{
        "sim-stream-eof", ParameterKind::kCount, "3",
        "ends the body cleanly after that many tokens, without finish reason or terminal event; half a plain answer",
        [](const Use& use, PlannedFault& planned) { end_after(use, planned, Ending::kEof); }},
    Behaviour{"sim-stall", ParameterKind::kCount, "3",
              "goes silent after that many tokens, or in the middle of a plain answer, until the client leaves",
              [](const Use& use, PlannedFault& planned) { end_after(use, planned, Ending::kStall); }},
    Behaviour{"sim-malformed-event", ParameterKind::kCount, "3",
              "sends one event of broken JSON after that many tokens, then the rest; a plain answer is broken JSON",
              [](const Use& use, PlannedFault& planned) { end_after(use, planned, Ending::kMalformed); }},
    Behaviour{"sim-no-done", ParameterKind::kNone, "",
              "streams everything up to the finish reason, but no `[DONE]` or `message_stop`; a plain answer is whole",
              [](const Use&, PlannedFault& planned) { planned.ending = Ending::kNoDone; }},
    Behaviour{"sim-error-in-stream", ParameterKind::kCount, "3",
              "sends an error event after that many tokens and ends; a plain answer is a 500",
              [](const Use& use, PlannedFault& planned) {
                end_after(use, planned, Ending::kError);
                planned.error = ErrorKind::kInternal;
              }},
    Behaviour{"sim-error-in-200", ParameterKind::kNone, "", "200 whose body is an error object, streamed or not",
              [](const Use&, PlannedFault& planned) {
                planned.opening = Opening::kErrorIn200;
                planned.error = ErrorKind::kInternal;
              }},
    Behaviour{"sim-empty", ParameterKind::kNone, "", "200 with an empty body",
              [](const Use&, PlannedFault& planned) { planned.opening = Opening::kEmpty; }},
    Behaviour{"sim-html-502", ParameterKind::kNone, "", "502 with a proxy's HTML page",
              [](const Use&, PlannedFault& planned) {
                planned.opening = Opening::kHtml;
                planned.status = 502;
              }},
    Behaviour{"sim-reset", ParameterKind::kNone, "", "resets the connection before a byte of the answer",
              [](const Use&, PlannedFault& planned) { planned.opening = Opening::kReset; }},
    Behaviour{"sim-silent", ParameterKind::kNone, "", "never answers: waits until the client leaves",
              [](const Use&, PlannedFault& planned) { planned.opening = Opening::kSilence; }},
    Behaviour{"sim-flap", ParameterKind::kDurationOrCount, "3",
              "in turns, that many requests (or that much time since the last reset): well, then 503",
              [](const Use& use, PlannedFault& planned) {
                if (is_down(use)) refuse(planned, ErrorKind::kUnavailable);
              }},
    Behaviour{"sim-500-once", ParameterKind::kCount, "1",
              "500 for the first request, or that many, since the last reset; then well",
              [](const Use& use, PlannedFault& planned) {
                if (use.nth < use.parameter.count) refuse(planned, ErrorKind::kInternal);
              }},
    Behaviour{"sim-500", ParameterKind::kNone, "", "500, an internal error",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kInternal); }},
    Behaviour{"sim-503", ParameterKind::kNone, "", "503, service unavailable",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kUnavailable); }},
    Behaviour{"sim-504", ParameterKind::kNone, "", "504, a timeout that the server reports",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kTimeout); }},
    Behaviour{"sim-529", ParameterKind::kNone, "", "529, overloaded",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kOverloaded); }},
    Behaviour{"sim-429", ParameterKind::kNone, "", "429, a rate limit without a hint",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kRateLimit); }},
    Behaviour{"sim-429-retry-after", ParameterKind::kDuration, "1s",
              "429 with `retry-after` (whole seconds, rounded up) and `retry-after-ms`",
              [](const Use& use, PlannedFault& planned) {
                refuse(planned, ErrorKind::kRateLimit);
                planned.retry_after = use.parameter.duration;
              }},
    Behaviour{
        "sim-limited", ParameterKind::kCount, "60",
        "answers that many requests of the name a minute, with 1000 tokens of prompt each, and tells so in headers; "
        "then 429 with `retry-after`",
        [](const Use& use, PlannedFault& planned) { planned.requests_per_minute = use.parameter.count; }},
    Behaviour{"sim-quota", ParameterKind::kNone, "",
              "429, the money is spent: `insufficient_quota` (OpenAI), `enforced_spend_limit_reached` (Anthropic)",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kQuota); }},
    Behaviour{"sim-context-length", ParameterKind::kNone, "", "400, the prompt is longer than the context",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kContextLength); }},
    Behaviour{"sim-content-filter", ParameterKind::kNone, "", "400, refused by the provider's safety system",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kContentFilter); }},
    Behaviour{"sim-400", ParameterKind::kNone, "", "400, an invalid request",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kBadRequest); }},
    Behaviour{"sim-401", ParameterKind::kNone, "", "401, a wrong key",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kUnauthorized); }},
    Behaviour{"sim-403", ParameterKind::kNone, "", "403, no permission",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kForbidden); }},
    Behaviour{"sim-404-model", ParameterKind::kNone, "",
              "404, `model_not_found`, as for every unknown name that begins with `sim-`",
              [](const Use&, PlannedFault& planned) { refuse(planned, ErrorKind::kModelNotFound); }},
};

std::string_view allowed_text(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kNone:
      return "no parameter";
    case ParameterKind::kDuration:
      return "a duration such as 250ms, at most 24h";
    case ParameterKind::kCount:
      return "a count, at most 1000000000";
    case ParameterKind::kDurationOrCount:
      return "a count, at most 1000000000, or a duration such as 10s, at most 24h";
  }
  invariant_broken("unknown parameter kind");
}

std::optional<Parameter> read_parameter(ParameterKind kind, std::string_view text) {
  if (kind != ParameterKind::kDuration) {
    if (const auto count = parse_count(text)) return Parameter{.count = *count};
    if (kind == ParameterKind::kCount) return std::nullopt;
  }
  if (const auto duration = parse_duration(text)) return Parameter{.duration = *duration, .is_duration = true};
  return std::nullopt;
}

const Behaviour* find_behaviour(std::string_view name) {
  for (const Behaviour& behaviour : kTable) {
    if (behaviour.name == name) return &behaviour;
  }
  return nullptr;
}

std::expected<Trait, std::string> read_trait(std::string_view text) {
  const std::size_t colon = text.find(':');
  const std::string_view name = text.substr(0, colon);
  const Behaviour* behaviour = find_behaviour(name);
  if (behaviour == nullptr) {
    return std::unexpected(fmt::format("`{}` is none of the behaviours that GET /sim/models lists", name));
  }
  const bool given = colon != text.npos;
  if (behaviour->kind == ParameterKind::kNone) {
    if (!given) return Trait{behaviour, {}};
  } else {
    const std::string_view parameter_text = given ? text.substr(colon + 1) : behaviour->default_parameter;
    if (const auto parameter = read_parameter(behaviour->kind, parameter_text)) return Trait{behaviour, *parameter};
  }
  return std::unexpected(fmt::format("`{}` takes {}", name, allowed_text(behaviour->kind)));
}

std::string_view kind_text(ParameterKind kind) {
  switch (kind) {
    case ParameterKind::kNone:
      return "";
    case ParameterKind::kDuration:
      return "duration";
    case ParameterKind::kCount:
      return "count";
    case ParameterKind::kDurationOrCount:
      return "count or duration";
  }
  invariant_broken("unknown parameter kind");
}

}  // namespace

std::span<const Behaviour> behaviours() { return kTable; }

std::expected<ModelName, std::string> read_model_name(std::string_view model) {
  if (!model.starts_with("sim-")) return ModelName{{&kTable.front(), {}}};
  std::string_view rest = model.substr(0, model.find('#'));
  ModelName name;
  while (true) {
    const std::size_t plus = rest.find('+');
    const auto trait = read_trait(rest.substr(0, plus));
    if (!trait) return std::unexpected(fmt::format("The model `{}` does not exist: {}.", model, trait.error()));
    name.push_back(*trait);
    if (plus == rest.npos) return name;
    if (name.size() == kMaxTraits) break;
    rest.remove_prefix(plus + 1);
  }
  return std::unexpected(
      fmt::format("The model `{}` does not exist: at most {} behaviours go together.", model, kMaxTraits));
}

PlannedFault planned_fault_of(const ModelName& name, std::uint64_t nth, Duration since_reset) {
  PlannedFault planned;
  planned.behaviour.clear();
  for (const Trait& trait : name) {
    if (!planned.behaviour.empty()) planned.behaviour += '+';
    planned.behaviour += trait.behaviour->name;
    trait.behaviour->shape({.parameter = trait.parameter, .nth = nth, .since_reset = since_reset}, planned);
  }
  return planned;
}

std::string behaviours_markdown() {
  std::string text = "| model | parameter | what it does |\n|---|---|---|\n";
  for (const Behaviour& row : kTable) {
    const std::string parameter =
        row.kind == ParameterKind::kNone ? "" : fmt::format("{}, {}", kind_text(row.kind), row.default_parameter);
    text += fmt::format("| `{}` | {} | {} |\n", row.name, parameter, row.summary);
  }
  return text;
}

std::string behaviours_json() {
  nlohmann::ordered_json rows = nlohmann::ordered_json::array();
  for (const Behaviour& row : kTable) {
    nlohmann::ordered_json entry = {{"name", row.name}, {"summary", row.summary}};
    if (row.kind != ParameterKind::kNone) {
      entry["parameter"] = {{"kind", kind_text(row.kind)}, {"default", row.default_parameter}};
    }
    rows.push_back(std::move(entry));
  }
  return json_text(nlohmann::ordered_json{{"behaviours", std::move(rows)}});
}

}  // namespace fuseboard::sim
