// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "fuseboard/classify/user_rules.h"

#include <algorithm>

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard {

using classify_internal::ErrorFacts;
using classify_internal::ErrorTree;
using classify_internal::Key;
using classify_internal::Node;
using classify_internal::Pattern;
using classify_internal::Words;

namespace {

constexpr std::size_t kLongestName = 64;
constexpr std::size_t kLongestCode = 96;
constexpr std::size_t kLongestPhrase = 256;
constexpr std::size_t kLongestHeader = 128;

bool contains_folded(std::string_view text, std::string_view part) noexcept {
  for (std::size_t i = 0; i + part.size() <= text.size(); ++i) {
    if (classify_internal::equal_folded(text.substr(i, part.size()), part)) return true;
  }
  return false;
}

// What the conditions are held against.
void read_facts(const CallEvidence& evidence, ErrorFacts& facts) noexcept {
  std::string_view rest = evidence.body;
  if (evidence.channel != Channel::sse && evidence.channel != Channel::mcp) {
    const ErrorTree tree(rest);
    facts.read_body(tree, rest);
    facts.add_message(evidence.message);
    return;
  }
  facts.add_message(evidence.message);
  // The first event that says that it is an error; a body that is one value is one line of many.
  while (!rest.empty() && !facts.has_error()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.starts_with("data:")) line.remove_prefix(5);
    const ErrorTree tree(line);
    if (classify_internal::says_error(tree)) facts.read_body(tree, line);
    const Node* const result = tree.find(tree.root(), Key::result);
    if (!classify_internal::is_true(tree.find(result, Key::is_error))) continue;
    for (const Node* part = tree.first(tree.find(result, Key::content)); part != nullptr; part = tree.next(part)) {
      facts.add_message(facts.text_of(tree.find(part, Key::text)));
    }
  }
}

}  // namespace

struct UserRules::Compiled {
  struct Row {
    UserRule rule;
    std::uint64_t code_hash = 0;
    Pattern pattern{};
  };
  std::vector<Row> rows;
  bool reads_body = false;

  static bool matches(const Row& row, const CallEvidence& evidence, const ErrorFacts& facts) noexcept;
};

namespace {

bool has_header(const UserRule& rule, const CallEvidence& evidence) noexcept {
  return std::ranges::any_of(evidence.headers, [&](const HeaderField& field) {
    return classify_internal::equal_folded(field.name, rule.header) && contains_folded(field.value, rule.header_value);
  });
}

bool has_code(std::uint64_t hash, const ErrorFacts& facts) noexcept {
  return std::ranges::any_of(facts.codes(),
                             [&](std::string_view code) { return classify_internal::hash_name(code) == hash; });
}

bool has_phrase(const Pattern& pattern, const ErrorFacts& facts) noexcept {
  return std::ranges::any_of(facts.messages(), [&](std::string_view message) {
    const Words words(message);
    std::size_t after = 0;
    for (std::size_t at = 0; at < words.size(); ++at) {
      if (pattern.matches(words, at, after)) return true;
    }
    return false;
  });
}

}  // namespace

bool UserRules::Compiled::matches(const Row& row, const CallEvidence& evidence, const ErrorFacts& facts) noexcept {
  const UserRule& rule = row.rule;
  if (rule.status) {
    const bool inside = evidence.status == 0 || (evidence.status >= 200 && evidence.status <= 299);
    const bool is_status = evidence.status == *rule.status || (inside && facts.status() == rule.status);
    if (!is_status) return false;
  }
  if (!rule.header.empty() && !has_header(rule, evidence)) return false;
  if (row.code_hash != 0 && !has_code(row.code_hash, facts)) return false;
  return row.pattern.empty() || has_phrase(row.pattern, facts);
}

Problems UserRule::validate() const {
  Validator validator;
  const auto bounded = [&](std::string_view field, const std::string& text, std::size_t most) {
    validator.require(text.size() <= most, field, text, "up to " + std::to_string(most) + " bytes");
  };
  bounded("name", name, kLongestName);
  bounded("code", body_code, kLongestCode);
  bounded("phrase", phrase, kLongestPhrase);
  bounded("header", header, kLongestHeader);
  bounded("header_value", header_value, kLongestPhrase);
  if (status) validator.in_range("status", *status, 100, 599);
  if (!body_code.empty()) {
    validator.require(
        std::ranges::any_of(body_code,
                            [](char c) { return classify_internal::is_alpha(c) || classify_internal::is_digit(c); }),
        "code", body_code, "at least one letter or digit");
  }
  if (!phrase.empty() && phrase.size() <= kLongestPhrase) {
    validator.require(!Pattern(phrase).empty(), "phrase", phrase,
                      "1 to 12 words, the first of them a word, ... not the last, ^ first and $ last if at all");
  }
  validator.require(header_value.empty() || !header.empty(), "header_value", header_value, "only with a header");
  validator.require(status || !body_code.empty() || !phrase.empty() || !header.empty(), "rule", "no condition",
                    "at least one of status, code, phrase, header");
  validator.require(category || retryable || trips_breaker || fallback, "rule", "no conclusion",
                    "at least one of category, retryable, trips_breaker, fallback");
  return std::move(validator).take();
}

Problems UserRules::validate(const std::vector<UserRule>& rules) {
  Validator validator;
  validator.in_range("rules", rules.size(), std::size_t{0}, kMaxRules);
  for (std::size_t i = 0; i < std::min(rules.size(), kMaxRules); ++i) {
    validator.merge("rules[" + std::to_string(i) + "]", rules[i].validate());
  }
  return std::move(validator).take();
}

UserRules::UserRules(std::vector<UserRule> rules) {
  throw_if_invalid(validate(rules));
  if (rules.empty()) return;
  auto compiled = std::make_shared<Compiled>();
  for (std::size_t i = 0; i < rules.size(); ++i) {
    Compiled::Row row{.rule = std::move(rules[i])};
    if (row.rule.name.empty()) row.rule.name = "rules[" + std::to_string(i) + "]";
    if (!row.rule.body_code.empty()) row.code_hash = classify_internal::hash_name(row.rule.body_code);
    row.pattern = Pattern(row.rule.phrase);
    const bool names_text = row.code_hash != 0 || !row.pattern.empty() || row.rule.status.has_value();
    compiled->reads_body = compiled->reads_body || names_text;
    compiled->rows.push_back(std::move(row));
  }
  compiled_ = std::move(compiled);
}

Classification UserRules::apply(const CallEvidence& evidence, const Classification& judged) const noexcept {
  if (empty() || !judged.failure) return judged;
  ErrorFacts facts(evidence.now);
  if (compiled_->reads_body) read_facts(evidence, facts);
  for (const Compiled::Row& row : compiled_->rows) {
    if (!Compiled::matches(row, evidence, facts)) continue;
    const UserRule& rule = row.rule;
    Classification changed = judged;
    if (rule.category) {
      changed.failure = Failure::of(*rule.category, judged.failure->retry_after);
      changed.modifier = Modifier::none;
      changed.detail = PolicyDetail::none;
    }
    if (rule.retryable) changed.failure->retryable = *rule.retryable;
    if (rule.fallback) changed.failure->fallback = *rule.fallback;
    if (rule.trips_breaker) {
      changed.failure->evidence = *rule.trips_breaker ? Evidence::counts : Evidence::does_not_count;
    }
    changed.rule = {.kind = "user", .text = rule.name, .source = "your configuration"};
    return changed;
  }
  return judged;
}

Classification classify(const CallEvidence& evidence, const UserRules& rules) noexcept {
  const Classification judged = classify(evidence);
  return rules.empty() ? judged : rules.apply(evidence, judged);
}

}  // namespace fuseboard
