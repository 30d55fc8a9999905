// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Codes that no table names, read by their words: "org_quota_exceeded", "ModelOverloadedError", "token.expired". What
// providers call a thing varies less than what they call its code.
#include <array>

#include "classify/phrase_classes.h"
#include "classify/phrase_table.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;
using enum Modifier;
using enum Weight;

// In the order in which they decide. A code's words are one clause: "^" is its beginning, "$" its end.
struct Family {
  std::string_view words;
  Weight weight;
  Finding finding;
};
constexpr std::string_view kSource = "the words of a code that no table names";
constexpr Finding kBadOutput = Means(execution_error, bad_model_output);

constexpr Family kFamilies[] = {
    // Rules of our own side.
    {"guardrail", decides, kGuardrail},
    {"guardrails", decides, kGuardrail},
    {"firewall", decides, Means(policy_violation)},
    {"blocked by policy", decides, Means(policy_violation)},
    {"denied by policy", decides, Means(policy_violation)},
    {"policy denied", decides, Means(policy_violation)},
    {"policy blocked", decides, Means(policy_violation)},
    {"security policy", decides, Means(policy_violation)},
    {"organization policy", decides, Means(policy_violation)},
    {"org policy", decides, Means(policy_violation)},
    {"workspace policy", decides, Means(policy_violation)},
    {"data policy", decides, Means(policy_violation)},
    {"blocked by security", decides, Means(policy_violation)},
    {"security blocked", decides, Means(policy_violation)},
    {"security block", decides, Means(policy_violation)},
    {"blocked by admin", decides, Means(policy_violation)},
    {"disabled by admin", decides, Means(policy_violation)},
    {"prompt injection", decides, kGuardrail},
    {"jailbreak detected", decides, kGuardrail},
    {"pii detected", decides, kGuardrail},
    {"dlp", decides, kGuardrail},
    {"host not allowed", decides, kSandbox},
    {"sandbox", decides, kSandbox},
    {"approval required", decides, Means(policy_violation)},
    {"requires approval", decides, Means(policy_violation)},
    {"user rejected", decides, Means(policy_violation)},
    {"user declined", decides, Means(policy_violation)},
    {"budget exceeded", decides, kBudget},
    {"budget exhausted", decides, kBudget},
    {"over budget", decides, kBudget},
    {"budget limit", decides, kBudget},

    // A wrong credential, before whatever else is called invalid.
    {"invalid api key", decides, Means(authentication)},
    {"invalid key", decides, Means(authentication)},
    {"invalid access key", decides, Means(authentication)},
    {"invalid token", decides, Means(authentication)},
    {"invalid access token", decides, Means(authentication)},
    {"invalid auth", decides, Means(authentication)},
    {"invalid authentication", decides, Means(authentication)},
    {"invalid authorization", decides, Means(authentication)},
    {"invalid credential", decides, Means(authentication)},
    {"invalid credentials", decides, Means(authentication)},
    {"invalid signature", decides, Means(authentication)},
    {"invalid session token", decides, Means(authentication)},
    {"invalid password", decides, Means(authentication)},
    {"incorrect api key", decides, Means(authentication)},
    {"wrong api key", decides, Means(authentication)},
    {"bad credentials", decides, Means(authentication)},
    {"missing api key", decides, Means(authentication)},
    {"missing key", decides, Means(authentication)},
    {"missing token", decides, Means(authentication)},
    {"missing auth", decides, Means(authentication)},
    {"missing authentication", decides, Means(authentication)},
    {"missing authorization", decides, Means(authentication)},
    {"missing credentials", decides, Means(authentication)},
    {"no api key", decides, Means(authentication)},
    {"no auth", decides, Means(authentication)},
    {"no credentials", decides, Means(authentication)},
    {"unknown api key", decides, Means(authentication)},

    // Models, before what is unsupported or unknown otherwise.
    {"invalid model output", decides, kBadOutput},
    {"model output", decides, kBadOutput},
    {"invalid model", decides, Means(model_not_found)},
    {"unknown model", decides, Means(model_not_found)},
    {"no such model", decides, Means(model_not_found)},
    {"model not found", decides, Means(model_not_found)},
    {"model not exist", decides, Means(model_not_found)},
    {"model not exists", decides, Means(model_not_found)},
    {"model does not exist", decides, Means(model_not_found)},
    {"model not supported", decides, Means(model_not_found)},
    {"model unsupported", decides, Means(model_not_found)},
    {"model not available", decides, Means(model_not_found)},
    {"model not active", decides, Means(model_not_found)},
    {"model not open", decides, Means(model_not_found)},
    {"model not enabled", decides, Means(model_not_found)},
    {"model disabled", decides, Means(model_not_found)},
    {"model deprecated", decides, Means(model_not_found)},
    {"model decommissioned", decides, Means(model_not_found)},
    {"model retired", decides, Means(model_not_found)},
    {"model removed", decides, Means(model_not_found)},
    {"model offline", decides, Means(model_not_found)},
    {"deployment not found", decides, Means(model_not_found)},
    {"deployment not exist", decides, Means(model_not_found)},
    {"endpoint or model not found", decides, Means(model_not_found)},
    {"invalid endpoint or model", decides, Means(model_not_found)},
    {"model access denied", decides, Means(permission_denied)},
    {"model permission", decides, Means(permission_denied)},

    // What another model may be able to do.
    {"unsupported parameter", decides, kCapability},
    {"unsupported param", decides, kCapability},
    {"unsupported params", decides, kCapability},
    {"unsupported value", decides, kCapability},
    {"unsupported feature", decides, kCapability},
    {"unsupported operation", decides, kCapability},
    {"unsupported model", decides, kCapability},
    {"unsupported api", decides, kCapability},
    {"unsupported tool", decides, kCapability},
    {"unsupported modality", decides, kCapability},
    {"feature not supported", decides, kCapability},
    {"parameter not supported", decides, kCapability},
    {"operation not supported", decides, kCapability},
    {"tools not supported", decides, kCapability},
    {"streaming not supported", decides, kCapability},

    // Requests: what is called wrong is the request, whatever its part is named after. A policy or a quota that is
    // invalid is an argument.
    {"^ invalid encrypted", decides, Means(invalid_request)},
    {"^ invalid", as_status, Means(invalid_request)},
    {"^ missing", as_status, Means(invalid_request)},
    {"^ malformed", as_status, Means(invalid_request)},
    {"^ unsupported", as_status, Means(invalid_request)},
    {"^ duplicate", as_status, Means(invalid_request)},
    {"^ bad request", as_status, Means(invalid_request)},
    {"^ parameter", as_status, Means(invalid_request)},

    // Safety systems of providers.
    {"policy violation", decides, Means(content_policy)},
    {"policy violated", decides, Means(content_policy)},
    {"violates policy", decides, Means(content_policy)},
    {"usage policy", decides, Means(content_policy)},
    {"policy $", decides, Means(content_policy)},
    {"refusal $", decides, Means(content_policy)},
    {"^ refusal", decides, Means(content_policy)},
    {"content filter", decides, Means(content_policy)},
    {"content filtered", decides, Means(content_policy)},
    {"content blocked", decides, Means(content_policy)},
    {"content rejected", decides, Means(content_policy)},
    {"content moderation", decides, Means(content_policy)},
    {"content safety", decides, Means(content_policy)},
    {"content security", decides, Means(content_policy)},
    {"content risk", decides, Means(content_policy)},
    {"content flagged", decides, Means(content_policy)},
    {"content inspection", decides, Means(content_policy)},
    {"data inspection", decides, Means(content_policy)},
    {"content violation", decides, Means(content_policy)},
    {"prohibited content", decides, Means(content_policy)},
    {"inappropriate content", decides, Means(content_policy)},
    {"unsafe content", decides, Means(content_policy)},
    {"harmful content", decides, Means(content_policy)},
    {"prompt blocked", decides, Means(content_policy)},
    {"prompt flagged", decides, Means(content_policy)},
    {"input flagged", decides, Means(content_policy)},
    {"output flagged", decides, Means(content_policy)},
    {"input blocked", decides, Means(content_policy)},
    {"output blocked", decides, Means(content_policy)},
    {"response blocked", decides, Means(content_policy)},
    {"flagged", decides, Means(content_policy)},
    {"moderation", decides, Means(content_policy)},
    {"moderated", decides, Means(content_policy)},
    {"sensitive", decides, Means(content_policy)},
    {"safety", decides, Means(content_policy)},
    {"unsafe", decides, Means(content_policy)},
    {"nsfw", decides, Means(content_policy)},
    {"toxic", decides, Means(content_policy)},
    {"toxicity", decides, Means(content_policy)},
    {"responsible ai", decides, Means(content_policy)},

    // Length, before what else exceeds a limit.
    {"context length", decides, kTooLong},
    {"context window", decides, kTooLong},
    {"context limit", decides, kTooLong},
    {"context size", decides, kTooLong},
    {"context overflow", decides, kTooLong},
    {"context too long", decides, kTooLong},
    {"context exceeded", decides, kTooLong},
    {"max context", decides, kTooLong},
    {"prompt too long", decides, kTooLong},
    {"prompt too large", decides, kTooLong},
    {"prompt length", decides, kTooLong},
    {"prompt exceeded", decides, kTooLong},
    {"input tokens exceeded", decides, kTooLong},
    {"prompt tokens exceeded", decides, kTooLong},
    {"input too long", decides, kTooLong},
    {"input too large", decides, kTooLong},
    {"input length", decides, kTooLong},
    {"characters too long", decides, kTooLong},
    {"tokens too long", decides, kTooLong},
    {"max prompt tokens", decides, kTooLong},
    {"max tokens", as_status, Means(invalid_request)},
    {"too large", as_status, Means(invalid_request)},
    {"too long", as_status, Means(invalid_request)},
    {"too small", as_status, Means(invalid_request)},

    // Credit, and windows of an hour or more.
    {"insufficient quota", decides, kSpent},
    {"insufficient user quota", decides, kSpent},
    {"quota insufficient", decides, kSpent},
    {"quota not enough", decides, kSpent},
    {"token quota failed", decides, kSpent},
    {"insufficient balance", decides, kSpent},
    {"insufficient user balance", decides, kSpent},
    {"balance insufficient", decides, kSpent},
    {"balance not enough", decides, kSpent},
    {"not enough balance", decides, kSpent},
    {"balance too low", decides, kSpent},
    {"no balance", decides, kSpent},
    {"insufficient credit", decides, kSpent},
    {"insufficient credits", decides, kSpent},
    {"credits exhausted", decides, kSpent},
    {"credit exhausted", decides, kSpent},
    {"credits exceeded", decides, kSpent},
    {"out of credit", decides, kSpent},
    {"out of credits", decides, kSpent},
    {"no credits", decides, kSpent},
    {"credits required", decides, kSpent},
    {"credits depleted", decides, kSpent},
    {"insufficient funds", decides, kSpent},
    {"payment required", decides, kSpent},
    {"payment", decides, kSpent},
    {"billing", decides, kSpent},
    {"overdue", decides, kSpent},
    {"arrears", decides, kSpent},
    {"arrear", decides, kSpent},
    {"arrearage", decides, kSpent},
    {"free tier", decides, kSpent},
    {"free quota", decides, kSpent},
    {"trial expired", decides, kSpent},
    {"trial ended", decides, kSpent},
    {"subscription expired", decides, kSpent},
    {"plan expired", decides, kSpent},
    {"package expired", decides, kSpent},
    {"resource pack", decides, kSpent},
    {"spend limit", decides, kSpent},
    {"spending limit", decides, kSpent},
    {"spending cap", decides, kSpent},
    {"spend cap", decides, kSpent},
    {"cost limit", decides, kSpent},
    {"usage limit", decides, kSpent},
    {"usage cap", decides, kSpent},
    {"plan limit", decides, kSpent},
    {"plan quota", decides, kSpent},
    {"hard limit", decides, kSpent},
    {"set limit exceeded", decides, kSpent},
    {"hour limit", decides, long_window()},
    {"hourly", decides, long_window()},
    {"daily", decides, long_window()},
    {"weekly", decides, long_window()},
    {"monthly", decides, long_window()},
    {"day limit", decides, long_window()},
    {"month limit", decides, long_window()},
    {"per day", decides, long_window()},
    {"per month", decides, long_window()},
    {"tpd", decides, long_window()},
    {"rpd", decides, long_window()},

    // Capacity.
    {"overloaded", decides, Means(overloaded)},
    {"overload", decides, Means(overloaded)},
    {"at capacity", decides, Means(overloaded)},
    {"no capacity", decides, Means(overloaded)},
    {"over capacity", decides, Means(overloaded)},
    {"out of capacity", decides, Means(overloaded)},
    {"capacity exceeded", decides, Means(overloaded)},
    {"capacity exhausted", decides, Means(overloaded)},
    {"capacity unavailable", decides, Means(overloaded)},
    {"capacity not available", decides, Means(overloaded)},
    {"insufficient capacity", decides, Means(overloaded)},
    {"insufficient instance capacity", decides, Means(overloaded)},
    {"insufficient host capacity", decides, Means(overloaded)},
    {"insufficient system resource", decides, Means(overloaded)},
    {"model busy", decides, Means(overloaded)},
    {"server busy", decides, Means(overloaded)},
    {"service busy", decides, Means(overloaded)},
    {"system busy", decides, Means(overloaded)},
    {"engine busy", decides, Means(overloaded)},
    {"too busy", decides, Means(overloaded)},
    {"queue full", decides, Means(overloaded)},
    {"high demand", decides, Means(overloaded)},
    {"high load", decides, Means(overloaded)},
    {"high traffic", decides, Means(overloaded)},

    // Throttles, and quotas of which a short window may be named beside the code.
    {"rate limit", decides, Means(rate_limit)},
    {"rate limits", decides, Means(rate_limit)},
    {"rate limited", decides, Means(rate_limit)},
    {"ratelimit", decides, Means(rate_limit)},
    {"ratelimited", decides, Means(rate_limit)},
    {"rate quota", decides, Means(rate_limit)},
    {"burst rate", decides, Means(rate_limit)},
    {"rate exceeded", decides, Means(rate_limit)},
    {"limit requests", decides, Means(rate_limit)},
    {"limit burst", decides, Means(rate_limit)},
    {"too many requests", decides, Means(rate_limit)},
    {"too many concurrent", decides, Means(rate_limit)},
    {"throttled", decides, Means(rate_limit)},
    {"throttling", decides, Means(rate_limit)},
    {"throttle", decides, Means(rate_limit)},
    {"request limit", decides, Means(rate_limit)},
    {"requests limit", decides, Means(rate_limit)},
    {"concurrency", decides, Means(rate_limit)},
    {"concurrent", decides, Means(rate_limit)},
    {"qps", decides, Means(rate_limit)},
    {"rpm", decides, Means(rate_limit)},
    {"tpm", decides, Means(rate_limit)},
    {"flow control", decides, Means(rate_limit)},
    {"frequency limit", decides, Means(rate_limit)},
    {"too frequent", decides, Means(rate_limit)},
    {"slow down", decides, Means(rate_limit)},
    {"quota exceeded", decides, long_window()},
    {"quota exhausted", decides, long_window()},
    {"quota limit", decides, long_window()},
    {"out of quota", decides, long_window()},
    {"exceed quota", decides, long_window()},
    {"exceeded quota", decides, long_window()},
    {"exceeded current quota", decides, long_window()},

    // Tools.
    {"tool not found", decides, Means(tool_not_found)},
    {"unknown tool", decides, Means(tool_not_found)},
    {"no such tool", decides, Means(tool_not_found)},
    {"function not found", decides, Means(tool_not_found)},
    {"command not found", decides, Means(tool_not_found)},
    {"method not found", decides, Means(tool_not_found)},
    {"unknown method", decides, Means(tool_not_found)},

    // Breakers.
    {"circuit breaker", decides, Means(circuit_open)},
    {"circuit open", decides, Means(circuit_open)},
    {"breaker open", decides, Means(circuit_open)},

    // Time.
    {"timeout", decides, Means(timeout)},
    {"timed out", decides, Means(timeout)},
    {"time out", decides, Means(timeout)},
    {"deadline exceeded", decides, Means(timeout)},
    {"response time exceeded", decides, Means(timeout)},

    // Credentials.
    {"unauthorized", as_status, Means(authentication)},
    {"unauthenticated", decides, Means(authentication)},
    {"not authenticated", decides, Means(authentication)},
    {"not authed", decides, Means(authentication)},
    {"not logged in", decides, Means(authentication)},
    {"login required", decides, Means(authentication)},
    {"auth required", decides, Means(authentication)},
    {"authentication", decides, Means(authentication)},
    {"auth fail", decides, Means(authentication)},
    {"auth failed", decides, Means(authentication)},
    {"auth failure", decides, Means(authentication)},
    {"auth error", decides, Means(authentication)},
    {"api key", decides, Means(authentication)},
    {"token expired", decides, Means(authentication)},
    {"token invalid", decides, Means(authentication)},
    {"token revoked", decides, Means(authentication)},
    {"expired token", decides, Means(authentication)},
    {"key expired", decides, Means(authentication)},
    {"expired key", decides, Means(authentication)},
    {"key invalid", decides, Means(authentication)},
    {"key disabled", decides, Means(authentication)},
    {"key revoked", decides, Means(authentication)},
    {"signature failure", decides, Means(authentication)},
    {"signature mismatch", decides, Means(authentication)},
    {"signature expired", decides, Means(authentication)},
    {"session expired", decides, Means(authentication)},
    {"credential", decides, Means(authentication)},
    {"credentials", decides, Means(authentication)},

    // Permissions.
    {"permission denied", decides, Means(permission_denied)},
    {"permission", decides, Means(permission_denied)},
    {"permissions", decides, Means(permission_denied)},
    {"access denied", decides, Means(permission_denied)},
    {"access forbidden", decides, Means(permission_denied)},
    {"no access", decides, Means(permission_denied)},
    {"forbidden", as_status, Means(permission_denied)},
    {"not authorized", decides, Means(permission_denied)},
    {"not allowed", as_status, Means(permission_denied)},
    {"insufficient scope", decides, Means(permission_denied)},
    {"missing scope", decides, Means(permission_denied)},
    {"scope", decides, Means(permission_denied)},
    {"account suspended", decides, Means(permission_denied)},
    {"account locked", decides, Means(permission_denied)},
    {"account disabled", decides, Means(permission_denied)},
    {"account inactive", decides, Means(authentication)},
    {"organization disabled", decides, Means(permission_denied)},
    {"organization restricted", decides, Means(permission_denied)},
    {"country", decides, Means(permission_denied)},
    {"region", decides, Means(permission_denied)},
    {"geo blocked", decides, Means(permission_denied)},
    {"not in channel", decides, Means(permission_denied)},

    // Things that do not exist.
    {"not found", decides, Means(resource_not_found)},
    {"notfound", decides, Means(resource_not_found)},
    {"not exist", decides, Means(resource_not_found)},
    {"does not exist", decides, Means(resource_not_found)},
    {"no such", decides, Means(resource_not_found)},

    // Connections, shortages, conflicts, stops.
    {"connection", as_status, Means(network)},
    {"network", as_status, Means(network)},
    {"dns", as_status, Means(network)},
    {"out of memory", decides, Means(resource_exhausted)},
    {"oom", decides, Means(resource_exhausted)},
    {"no space", decides, Means(resource_exhausted)},
    {"disk full", decides, Means(resource_exhausted)},
    {"already exists", as_status, Means(invalid_request)},
    {"conflict", as_status, Means(invalid_request, conflict)},
    {"cancelled", as_status, Means(cancelled)},
    {"canceled", as_status, Means(cancelled)},

    // Servers.
    {"unavailable", as_status, Means(service_unavailable)},
    {"internal", as_status, Means(service_unavailable)},
    {"server", as_status, Means(service_unavailable)},
    {"upstream", as_status, Means(service_unavailable)},
    {"bad response", as_status, Means(service_unavailable)},
    {"empty response", as_status, Means(service_unavailable)},
    {"bad gateway", as_status, Means(service_unavailable)},
    {"download failed", as_status, Means(invalid_request)},
    {"bad", as_status, Means(invalid_request)},
    {"invalid", as_status, Means(invalid_request)},
    {"unprocessable", as_status, Means(invalid_request)},
    {"validation", as_status, Means(invalid_request)},
};

constexpr std::size_t kRows = std::size(kFamilies);

// The same as phrases, so that they are compiled and found as phrases are.
consteval std::array<PhraseRow, kRows> phrases() {
  std::array<PhraseRow, kRows> rows{};
  for (std::size_t i = 0; i < kRows; ++i) {
    rows[i] = {kFamilies[i].words, {}, kFamilies[i].finding, kSource, Use::free};
  }
  return rows;
}
constexpr std::array<PhraseRow, kRows> kPhrases = phrases();
using Table = PhraseTable<kPhrases>;

consteval std::array<CodeRow, kRows> code_rows() {
  std::array<CodeRow, kRows> rows{};
  for (std::size_t i = 0; i < kRows; ++i) {
    std::string_view words = kFamilies[i].words;
    if (words.starts_with("^ ")) words.remove_prefix(2);
    rows[i] = {words, kFamilies[i].weight, kFamilies[i].finding, kSource};
  }
  return rows;
}
constexpr std::array<CodeRow, kRows> kCodes = code_rows();

constexpr std::size_t kLongest = 96;
constexpr bool is_upper(char c) noexcept { return c >= 'A' && c <= 'Z'; }

// "AppIdQpsOverFlowError", "org_quota-exceeded" and "HTTPTimeout" with a space between their words.
std::string_view spaced(std::string_view code, std::span<char> out) noexcept {
  std::size_t size = 0;
  for (std::size_t i = 0; i < code.size() && size + 2 < out.size(); ++i) {
    const char c = code[i];
    if (!is_alpha(c) && !is_digit(c)) {
      out[size++] = ' ';
      continue;
    }
    const bool after_small = i > 0 && !is_upper(code[i - 1]) && is_alpha(code[i - 1]);
    const bool before_small =
        i > 0 && i + 1 < code.size() && is_upper(code[i - 1]) && is_alpha(code[i + 1]) && !is_upper(code[i + 1]);
    if (is_upper(c) && (after_small || before_small)) out[size++] = ' ';
    out[size++] = c;
  }
  return {out.data(), size};
}

// "Error" and "Exception" say of a code what it is anyway.
std::string_view without_ending(std::string_view words) noexcept {
  words = trimmed(words);
  for (const std::string_view ending : {" error", " exception", " err"}) {
    if (words.size() > ending.size() && equal_folded(words.substr(words.size() - ending.size()), ending)) {
      words.remove_suffix(ending.size());
    }
  }
  return words;
}

}  // namespace

const CodeRow* family_row(std::string_view code) noexcept {
  if (code.size() > kLongest) return nullptr;
  std::array<char, 2 * kLongest + 2> text;
  const Words words(without_ending(spaced(code, text)));
  const PhraseRow* const row = Table::find(words, std::nullopt);
  return row == nullptr ? nullptr : &kCodes[static_cast<std::size_t>(row - kPhrases.data())];
}

}  // namespace fuseboard::classify_internal
