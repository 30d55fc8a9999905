// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// What counts against a target, said by whoever makes the calls: from what a call threw or returned to an outcome.
//
//   const auto judge = fails_on<TimeoutError, ConnectionError>() | ignores<NotFound>() |
//                      fails_if([](const Reply& reply) { return reply.status >= 500; });
//   try {
//     Reply reply = client.get(url);
//     std::move(permit).settle(judge.returned(reply));
//     return reply;
//   } catch (...) {
//     std::move(permit).settle(judge.thrown());
//     throw;
//   }
//
// Where no rule says anything, what failure_of() makes of it holds (core/failure_of.h): what is thrown has failed, a
// value is a success unless it says otherwise, an error of a std::expected is what it says. What was cancelled is that
// whatever the rules say.
#pragma once

#include <concepts>
#include <functional>
#include <optional>
#include <tuple>
#include <type_traits>
#include <utility>

#include "fuseboard/core/category.h"
#include "fuseboard/core/failure_of.h"
#include "fuseboard/core/outcome.h"
#include "fuseboard/core/returned.h"

namespace fuseboard {

namespace core_internal {

// In terms of outcomes.
struct OutcomeWords {
  using Result = Outcome;
  static Outcome of(const Outcome& outcome) noexcept { return outcome; }
  template <typename T>
    requires(ErrorCode<T> || requires(const T& said) { std::optional<Failure>(failure_of(said)); })
  static Outcome of(const T& said) {
    if constexpr (requires { failure_of(said); }) {
      return {.failure = failure_of(said)};
    } else {
      return {.failure = failure_of(standard_error(said))};  // converts to both
    }
  }
  static Outcome success() noexcept { return Outcome::success(); }
  static Outcome failure() noexcept {
    Failure failure = Failure::of(Category::execution_error);
    failure.evidence = Evidence::counts;
    return Outcome::failed(failure);
  }
};

// Inside a catch block: whether the exception that is being handled is one of these.
template <typename First, typename... Others>
bool is_handling() noexcept {
  try {
    throw;
  } catch (const First&) {
    return true;
  } catch (...) {
    if constexpr (sizeof...(Others) > 0) return is_handling<Others...>();
    return false;
  }
}

// What is thrown, or returned as an error, as one of the types.
template <Evidence kEvidence, typename... Errors>
struct RuleOfTypes {
  // With a list of what counts no other exception does.
  static constexpr bool kListsWhatCounts = kEvidence == Evidence::counts;

  std::optional<Evidence> thrown() const noexcept {
    return is_handling<Errors...>() ? std::optional(kEvidence) : std::nullopt;
  }
  template <typename T>
  std::optional<Evidence> error(const T& /*error*/) const noexcept {
    constexpr bool kListed = ((std::same_as<T, Errors> || std::derived_from<T, Errors>) || ...);
    return kListed ? std::optional(kEvidence) : std::nullopt;
  }
  template <typename T>
  std::optional<Evidence> value(const T& /*value*/) const noexcept {
    return std::nullopt;
  }
};

// What a predicate says of it; of exceptions, where a type is named.
template <typename Exception, typename Predicate>
struct RuleOfPredicate {
  static constexpr bool kListsWhatCounts = false;

  std::optional<Evidence> thrown() const {
    if constexpr (std::is_void_v<Exception>) {
      return std::nullopt;
    } else {
      try {
        throw;
      } catch (const Exception& said) {
        return ruling(said);
      } catch (...) {
        return std::nullopt;
      }
    }
  }
  template <typename T>
  std::optional<Evidence> error(const T& said) const {
    if constexpr (std::predicate<const Predicate&, const T&>) {
      return ruling(said);
    } else {
      return std::nullopt;
    }
  }
  // A value that it does not mind is a success without its help.
  template <typename T>
  std::optional<Evidence> value(const T& said) const {
    if constexpr (std::predicate<const Predicate&, const T&>) {
      if (std::invoke(predicate, said)) return Evidence::counts;
    }
    return std::nullopt;
  }

  template <typename T>
  Evidence ruling(const T& said) const {
    return std::invoke(predicate, said) ? Evidence::counts : Evidence::does_not_count;
  }

  Predicate predicate;
};

}  // namespace core_internal

// The rules in their order: the first that says anything decides. A value; as thread-safe as its predicates. What a
// predicate throws passes through. Costs nothing on success but the predicates.
template <typename... Rules>
class Judge {
 public:
  constexpr explicit Judge(Rules... rules) : Judge(std::tuple<Rules...>(std::move(rules)...)) {}

  // Inside a catch block: the outcome of a call that threw the exception that is being handled.
  Outcome thrown() const {
    const auto unless_listed = kListsWhatCounts ? std::optional(Evidence::does_not_count) : std::nullopt;
    return ruled(failure_of_handled(), [](const auto& rule) { return rule.thrown(); }, unless_listed);
  }

  // The outcome of a call that returned this.
  template <typename Value>
  Outcome returned(const Value& value) const {
    const Outcome outcome = said_by<core_internal::OutcomeWords>(value);
    if (outcome.ok()) return of_good_value(outcome, value);
    return ruled(
        *outcome.failure,
        [&](const auto& rule) {
          if constexpr (kIsExpected<Value>) {
            return rule.error(value.error());
          } else {
            return rule.error(value);
          }
        },
        std::nullopt);
  }

  template <typename... Others>
  constexpr Judge<Rules..., Others...> operator|(const Judge<Others...>& others) const {
    return Judge<Rules..., Others...>(std::tuple_cat(rules_, others.rules_));
  }

 private:
  template <typename...>
  friend class Judge;
  static constexpr bool kListsWhatCounts = (Rules::kListsWhatCounts || ...);

  constexpr explicit Judge(std::tuple<Rules...> rules) : rules_(std::move(rules)) {}

  // By what the first rule with an answer says to `ask`.
  template <typename Ask>
  std::optional<Evidence> first_answer(const Ask& ask) const {
    std::optional<Evidence> answer;
    std::apply([&](const auto&... rule) { (void)((answer = ask(rule)).has_value() || ...); }, rules_);
    return answer;
  }
  template <typename Ask>
  Outcome ruled(Failure failure, const Ask& ask, std::optional<Evidence> otherwise) const {
    if (failure.category == Category::cancelled) return Outcome::failed(failure);
    std::optional<Evidence> evidence = first_answer(ask);
    if (!evidence) evidence = otherwise;
    if (evidence) failure.evidence = *evidence;
    return Outcome::failed(failure);
  }
  template <typename Value>
  Outcome of_good_value(const Outcome& outcome, const Value& value) const {
    const std::optional<Evidence> answer = first_answer([&](const auto& rule) -> std::optional<Evidence> {
      if constexpr (!kIsExpected<Value>) {
        return rule.value(value);
      } else if constexpr (!std::is_void_v<typename Value::value_type>) {
        return rule.value(*value);
      } else {
        return std::nullopt;
      }
    });
    return answer ? core_internal::OutcomeWords::failure() : outcome;
  }

  std::tuple<Rules...> rules_;
};

// Without rules.
inline constexpr Judge<> kDefaultJudge{};

// Exceptions of these types, and of types derived from them, count, and no others do; so does an error of such a type
// in a std::expected, where one that is not listed is judged as ever.
template <typename... Errors>
  requires(sizeof...(Errors) > 0)
constexpr auto fails_on() {
  return Judge(core_internal::RuleOfTypes<Evidence::counts, Errors...>());
}

// Exceptions and errors of these types are no evidence.
template <typename... Errors>
  requires(sizeof...(Errors) > 0)
constexpr auto ignores() {
  return Judge(core_internal::RuleOfTypes<Evidence::does_not_count, Errors...>());
}

// A returned value, or the value in a std::expected, for which it is true has failed; an error in a std::expected
// counts where it is true and does not where it is false. It names its parameter's type. With a type, exceptions of
// that type are asked about, too:
//   fails_if<HttpError>([](const HttpError& error) { return error.status() >= 500; })
template <typename Exception = void, typename Predicate>
constexpr auto fails_if(Predicate predicate) {
  return Judge(core_internal::RuleOfPredicate<Exception, Predicate>{std::move(predicate)});
}

}  // namespace fuseboard
