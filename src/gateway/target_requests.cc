// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/target_requests.h"

#include <utility>

#include "gateway/model_paths.h"
#include "llm/anthropic/unsigned_thinking.h"
#include "llm/prefill.h"
#include "llm/request_change.h"
#include "llm/translate_request.h"

namespace fuseboard::gateway {
namespace {

llm::Reasoning to_reasoning(config::Reasoning reasoning) noexcept {
  switch (reasoning) {
    case config::Reasoning::budget:
      return llm::Reasoning::budget;
    case config::Reasoning::effort:
      return llm::Reasoning::effort;
    case config::Reasoning::leave_out:
      return llm::Reasoning::leave_out;
  }
  return llm::Reasoning::budget;
}

}  // namespace

bool TargetRequests::can_take(std::uint32_t target) noexcept {
  const std::uint64_t bit = std::uint64_t{1} << target;
  if ((known_ & bit) != 0) return (able_ & bit) != 0;
  known_ |= bit;
  if (translated(target) && !is_large(target)) {
    const bool asks = asks_usage(target);
    auto body = translate(target, asks);
    if (!body) {
      untranslatable_.push_back({.target = target, .error = std::move(body.error())});
      return false;
    }
    translation_ = {.target = target, .asks_usage = asks, .body = *std::move(body)};
  }
  able_ |= bit;
  return true;
}

std::uint8_t TargetRequests::endpoint_at(std::uint32_t target) const noexcept { return endpoint_number(path(target)); }

llm::Dialect TargetRequests::dialect(std::uint32_t target) const { return upstream(target).provider->dialect; }

llm::Endpoint TargetRequests::endpoint(std::uint32_t target) const {
  return translated(target) ? llm::chat_endpoint(dialect(target)) : call_.endpoint;
}

std::string_view TargetRequests::path(std::uint32_t target) const {
  std::string_view path = call_.path;
  const llm::DialectTraits& traits = llm::traits(dialect(target));
  if (translated(target)) path = traits.chat_path;
  if (traits.version_in_base_url) path.remove_prefix(kVersionPrefix.size());
  return path;
}

// A stream of another dialect than the caller's is told with its usage in any case.
bool TargetRequests::asks_usage(std::uint32_t target) const {
  const llm::DialectTraits& traits = llm::traits(dialect(target));
  if (!call_.facts.stream || !traits.usage_is_asked_for || endpoint(target) != traits.chat) return false;
  const Upstream& to = upstream(target);
  const bool wanted = translated(target) || (call_.facts.may_ask_usage && to.counts_tokens);
  return wanted && ((not_asked_ >> target) & 1U) == 0 && to.usage_asking->known() != UsageAsking::Known::refused;
}

RequestBody TargetRequests::body(std::uint32_t target, bool asks_usage) {
  if (translation_ && translation_->target == target && translation_->asks_usage == asks_usage) {
    return RequestBody(std::exchange(translation_, std::nullopt)->body);
  }
  return make_body(target, asks_usage).value();  // it could be said before
}

std::expected<RequestBody, llm::RequestError> TargetRequests::make_body(std::uint32_t target, bool asks_usage) const {
  if (!translated(target)) {
    if (auto changed = without_unsigned_thinking(target)) return RequestBody(*std::move(changed));
    const std::string_view whole = call_.body;
    const std::string& model = upstream(target).model;
    llm::Replacement change = asks_usage ? llm::replace_model_and_ask_usage(whole, call_.facts, model)
                                         : llm::replace_model(call_.facts, model);
    return RequestBody(whole.substr(0, change.begin), std::move(change.text), whole.substr(change.end));
  }
  auto body = translate(target, asks_usage);
  if (!body) return std::unexpected(std::move(body.error()));
  return RequestBody(*std::move(body));
}

// Of a target of messages that would refuse them; nullopt: there are none.
std::optional<std::string> TargetRequests::without_unsigned_thinking(std::uint32_t target) const {
  if (call_.endpoint != llm::Endpoint::messages && call_.endpoint != llm::Endpoint::count_tokens) return std::nullopt;
  const auto body = llm::without_unsigned_thinking(call_.body);
  if (!body) return std::nullopt;
  // The model's name may stand somewhere else now.
  const auto facts = llm::parse_request(call_.endpoint, *body);
  return facts ? std::optional(llm::with_model(*body, *facts, upstream(target).model)) : std::nullopt;
}

std::expected<std::string, llm::RequestError> TargetRequests::body_with_prefill(std::uint32_t target, bool asks_usage,
                                                                                std::string_view partial,
                                                                                std::uint64_t tokens) const {
  const auto body = make_body(target, asks_usage);
  if (!body) return std::unexpected(body.error());
  return llm::with_prefill(dialect(target), llm::with_lower_cap(body->text(), tokens), partial);
}

std::expected<std::string, llm::RequestError> TargetRequests::translate(std::uint32_t target, bool asks_usage) const {
  if (!llm::translates(call_.endpoint)) {
    return std::unexpected(llm::RequestError{.message = "it does not speak the dialect of " + std::string(call_.path),
                                             .param = "model",
                                             .code = "unsupported_endpoint"});
  }
  const Upstream& to = upstream(target);
  return llm::translate_request(call_.dialect, dialect(target), call_.body,
                                {.model = to.model,
                                 .default_max_tokens = to.request.max_tokens,
                                 .drop_unsupported = call_.route->unsupported_fields == config::UnsupportedFields::drop,
                                 .legacy_max_tokens = to.provider->cap_field == config::CapField::max_tokens,
                                 .reasoning = to_reasoning(to.request.reasoning),
                                 .ask_usage = asks_usage});
}

}  // namespace fuseboard::gateway
