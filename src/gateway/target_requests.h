// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// A request in the words that each of its targets understands.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fuseboard/pipeline/execution.h"
#include "gateway/loop_context.h"
#include "gateway/model_call.h"
#include "gateway/untranslatable.h"

namespace fuseboard::gateway {

// A body as it is sent: one text of its own, or one between two parts of another's.
class RequestBody {
 public:
  RequestBody() = default;
  explicit RequestBody(std::string whole) : own_(std::move(whole)) {}
  // `before` and `after` must outlive it.
  RequestBody(std::string_view before, std::string between, std::string_view after)
      : own_(std::move(between)), before_(before), after_(after) {}

  // Until it is moved or goes.
  net::BodyPieces pieces() const noexcept { return {before_, own_, after_}; }
  std::string text() const { return std::string(before_).append(own_).append(after_); }
  std::size_t own_bytes() const noexcept { return own_.size(); }

  friend bool operator==(const RequestBody& body, std::string_view text) { return body.text() == text; }

 private:
  std::string own_;
  std::string_view before_;
  std::string_view after_;
};

// One call's. The call must outlive it; loop thread only.
class TargetRequests final : public Eligibility {
 public:
  explicit TargetRequests(const ModelCall& call) : call_(call) {}

  // Whether the request can be translated to the target's dialect. Translates where it must, and remembers. Of what is
  // too large for that here it is assumed, and the attempt will see.
  bool can_take(std::uint32_t target) noexcept override;
  std::uint8_t endpoint_at(std::uint32_t target) const noexcept override;

  // Whether the body for this target is better made beside the loop, by make_body().
  bool is_large(std::uint32_t target) const { return call_.body.size() > kMaxTranslatedOnLoop && translated(target); }

  // Where a target of this dialect is asked: its own endpoint for conversations, or the caller's.
  llm::Endpoint endpoint(std::uint32_t target) const;
  std::string_view path(std::uint32_t target) const;  // below the provider's prefix
  bool translated(std::uint32_t target) const { return dialect(target) != call_.dialect; }
  llm::Dialect dialect(std::uint32_t target) const;

  // Whether to ask this target for usage that the caller does not ask for: where somebody counts, and the target has
  // not refused the question.
  bool asks_usage(std::uint32_t target) const;
  // From now on this call does not ask this target.
  void stop_asking(std::uint32_t target) noexcept { not_asked_ |= std::uint64_t{1} << target; }

  // The body for a target that can take the call, which asks for usage if that is so: the caller's own, with the
  // target's name for the model in it, is not copied.
  RequestBody body(std::uint32_t target, bool asks_usage);
  // The same without looking at what has been translated before. Any thread.
  std::expected<RequestBody, llm::RequestError> make_body(std::uint32_t target, bool asks_usage) const;
  // The same, with the part of the answer that the caller already has, about so many tokens.
  // Any thread.
  std::expected<std::string, llm::RequestError> body_with_prefill(std::uint32_t target, bool asks_usage,
                                                                  std::string_view partial, std::uint64_t tokens) const;

  // Of the targets that were asked about: which cannot take the call, and why.
  std::span<const Untranslatable> untranslatable() const noexcept { return untranslatable_; }

 private:
  struct Translation {
    std::uint32_t target;
    bool asks_usage;
    std::string body;
  };
  const Upstream& upstream(std::uint32_t target) const { return call_.route->upstreams[target]; }
  std::optional<std::string> without_unsigned_thinking(std::uint32_t target) const;
  std::expected<std::string, llm::RequestError> translate(std::uint32_t target, bool asks_usage) const;

  const ModelCall& call_;
  std::optional<Translation> translation_;  // the latest, until it is sent
  std::uint64_t known_ = 0;                 // by target: whether can_take() has been asked, and its answer
  std::uint64_t able_ = 0;
  std::uint64_t not_asked_ = 0;  // by target: stop_asking()
  std::vector<Untranslatable> untranslatable_;
};

}  // namespace fuseboard::gateway
