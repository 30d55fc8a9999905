// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/provider_answer.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "fuseboard/core/rng.h"
#include "sim/dialect_answer.h"
#include "sim/json_text.h"
#include "sim/text_rules.h"
#include "sim/usage_form.h"

namespace fuseboard::sim {
namespace {

using nlohmann::ordered_json;

std::vector<float> unit_vector(std::uint64_t seed, std::size_t dimensions) {
  Rng rng(seed);
  std::vector<float> vector(dimensions);
  double squares = 0;
  for (float& x : vector) {
    x = static_cast<float>(rng.uniform() * 2 - 1);
    squares += static_cast<double>(x) * static_cast<double>(x);
  }
  const double length = std::sqrt(squares);
  for (float& x : vector) x = length > 0 ? static_cast<float>(static_cast<double>(x) / length) : 1.0F;
  return vector;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      text += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63U] : '=';
    }
  }
  return text;
}

ordered_json embedding(const std::vector<float>& vector, bool as_base64) {
  if (!as_base64) return vector;
  // Little-endian 32-bit floats, as the clients of both big languages unpack them; so is this machine.
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__);
  std::string bytes(vector.size() * sizeof(float), '\0');
  std::memcpy(bytes.data(), vector.data(), bytes.size());
  return base64(bytes);
}

PlannedFault refused(PlannedFault planned, ErrorKind kind) {
  planned.opening = PlannedFault::Opening::kError;
  planned.error = kind;
  planned.status = 0;
  return planned;
}

std::string body_of(Dialect dialect, const ChatRequest& request, const Composition& said,
                    const AnswerContext& context) {
  if (request.response) return response_body(request, said, context);
  switch (dialect) {
    case Dialect::openai:
      return openai_body(request, said, context);
    case Dialect::anthropic:
      return anthropic_body(request, said, context);
  }
  std::unreachable();
}

StreamEvents events_of(Dialect dialect, const ChatRequest& request, const Composition& said,
                       const AnswerContext& context) {
  if (request.response) return response_events(request, said, context);
  switch (dialect) {
    case Dialect::openai:
      return openai_events(request, said, context);
    case Dialect::anthropic:
      return anthropic_events(request, said, context);
  }
  std::unreachable();
}

}  // namespace

std::string AnswerContext::id() const { return fmt::format("sim{:06}{:016x}", ordinal, mix(seed, ordinal)); }

Reply chat_reply(Dialect dialect, const ChatRequest& request, const PlannedFault& planned,
                 const AnswerContext& circumstances) {
  AnswerContext context = circumstances;
  context.usage = planned.usage;
  const RefusalContext refusal = {dialect, request.model, context.request_id()};
  if (request.prefill && planned.prefill == PlannedFault::Prefill::kRefused) {
    return error_reply(refused(planned, ErrorKind::kPrefill), refusal);
  }
  if (planned.stream_options != StreamOptions::kTaken && request.has_stream_options) {
    const bool names = planned.stream_options == StreamOptions::kRefused;
    PlannedFault refusing = refused(planned, ErrorKind::kBadRequest);
    refusing.message = names ? "Unrecognized request argument supplied: stream_options" : "Bad request";
    if (names) refusing.param = "stream_options";
    return error_reply(refusing, refusal);
  }
  const Composition said = compose(
      request, planned, {.seed = context.seed, .max_tokens = context.max_tokens, .inspected = context.inspected});
  if (request.stream && planned.label != PlannedFault::Label::kEvents) {
    StreamEvents events = events_of(dialect, request, said, context);
    const ErrorDetail detail = refusal.detail(planned);
    events.error = request.response ? response_error_events(request, context, events, planned.after_tokens,
                                                            error_body(dialect, planned.error, detail))
                                    : error_event(dialect, planned.error, detail);
    if (planned.usage == UsageForm::kExponent) {
      for (std::string* part : {&events.start, &events.finish, &events.done}) spell_exponents(*part);
    }
    return stream_reply(planned, std::move(events), context.token_gap);
  }
  // What would be an error in the middle of a stream is an error from the start.
  if (planned.ending == PlannedFault::Ending::kError) return error_reply(planned, refusal);
  std::string body = body_of(dialect, request, said, context);
  if (planned.usage == UsageForm::kExponent) spell_exponents(body);
  return plain_reply(planned, std::move(body), said.length());
}

Reply embeddings_reply(const EmbeddingsRequest& request, const PlannedFault& planned, const AnswerContext& context) {
  if (planned.ending == PlannedFault::Ending::kError) {
    return error_reply(planned, {Dialect::openai, request.model, context.request_id()});
  }
  ordered_json data = ordered_json::array();
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < request.inputs.size(); ++i) {
    tokens += count_tokens(request.inputs[i]);
    const std::vector<float> vector = unit_vector(mix(context.seed, request.inputs[i]), request.dimensions);
    data.push_back({{"object", "embedding"}, {"index", i}, {"embedding", embedding(vector, request.base64)}});
  }
  const ordered_json body = {{"object", "list"},
                             {"data", std::move(data)},
                             {"model", request.model},
                             {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}};
  return plain_reply(planned, json_text(body), tokens);
}

}  // namespace fuseboard::sim
