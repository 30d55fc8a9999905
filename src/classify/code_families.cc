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
  Conclusion conclusion;
};
constexpr std::string_view kSource = "the words of a code that no table names";
constexpr Conclusion kBadOutput = {execution_error, bad_model_output};

constexpr Family kFamilies[] = {
    // Rules of our own side.
    {"guardrail", decides, kGuardrail},
    {"guardrails", decides, kGuardrail},
    {"firewall", decides, policy_violation},
    {"blocked by policy", decides, policy_violation},
    {"denied by policy", decides, policy_violation},
    {"policy denied", decides, policy_violation},
    {"policy blocked", decides, policy_violation},
    {"security policy", decides, policy_violation},
    {"organization policy", decides, policy_violation},
    {"org policy", decides, policy_violation},
    {"workspace policy", decides, policy_violation},
    {"data policy", decides, policy_violation},
    {"blocked by security", decides, policy_violation},
    {"security blocked", decides, policy_violation},
    {"security block", decides, policy_violation},
    {"blocked by admin", decides, policy_violation},
    {"disabled by admin", decides, policy_violation},
    {"prompt injection", decides, kGuardrail},
    {"jailbreak detected", decides, kGuardrail},
    {"pii detected", decides, kGuardrail},
    {"dlp", decides, kGuardrail},
    {"host not allowed", decides, kSandbox},
    {"sandbox", decides, kSandbox},
    {"approval required", decides, policy_violation},
    {"requires approval", decides, policy_violation},
    {"user rejected", decides, policy_violation},
    {"user declined", decides, policy_violation},
    {"budget exceeded", decides, kBudget},
    {"budget exhausted", decides, kBudget},
    {"over budget", decides, kBudget},
    {"budget limit", decides, kBudget},

    // A wrong credential, before whatever else is called invalid.
    {"invalid api key", decides, authentication},
    {"invalid key", decides, authentication},
    {"invalid access key", decides, authentication},
    {"invalid token", decides, authentication},
    {"invalid access token", decides, authentication},
    {"invalid auth", decides, authentication},
    {"invalid authentication", decides, authentication},
    {"invalid authorization", decides, authentication},
    {"invalid credential", decides, authentication},
    {"invalid credentials", decides, authentication},
    {"invalid signature", decides, authentication},
    {"invalid session token", decides, authentication},
    {"invalid password", decides, authentication},
    {"incorrect api key", decides, authentication},
    {"wrong api key", decides, authentication},
    {"bad credentials", decides, authentication},
    {"missing api key", decides, authentication},
    {"missing key", decides, authentication},
    {"missing token", decides, authentication},
    {"missing auth", decides, authentication},
    {"missing authentication", decides, authentication},
    {"missing authorization", decides, authentication},
    {"missing credentials", decides, authentication},
    {"no api key", decides, authentication},
    {"no auth", decides, authentication},
    {"no credentials", decides, authentication},
    {"unknown api key", decides, authentication},

    // Models, before what is unsupported or unknown otherwise.
    {"invalid model output", decides, kBadOutput},
    {"model output", decides, kBadOutput},
    {"invalid model", decides, model_not_found},
    {"unknown model", decides, model_not_found},
    {"no such model", decides, model_not_found},
    {"model not found", decides, model_not_found},
    {"model not exist", decides, model_not_found},
    {"model not exists", decides, model_not_found},
    {"model does not exist", decides, model_not_found},
    {"model not supported", decides, model_not_found},
    {"model unsupported", decides, model_not_found},
    {"model not available", decides, model_not_found},
    {"model not active", decides, model_not_found},
    {"model not open", decides, model_not_found},
    {"model not enabled", decides, model_not_found},
    {"model disabled", decides, model_not_found},
    {"model deprecated", decides, model_not_found},
    {"model decommissioned", decides, model_not_found},
    {"model retired", decides, model_not_found},
    {"model removed", decides, model_not_found},
    {"model offline", decides, model_not_found},
    {"deployment not found", decides, model_not_found},
    {"deployment not exist", decides, model_not_found},
    {"endpoint or model not found", decides, model_not_found},
    {"invalid endpoint or model", decides, model_not_found},
    {"model access denied", decides, permission_denied},
    {"model permission", decides, permission_denied},

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
    {"^ invalid encrypted", decides, invalid_request},
    {"^ invalid", as_status, invalid_request},
    {"^ missing", as_status, invalid_request},
    {"^ malformed", as_status, invalid_request},
    {"^ unsupported", as_status, invalid_request},
    {"^ duplicate", as_status, invalid_request},
    {"^ bad request", as_status, invalid_request},
    {"^ parameter", as_status, invalid_request},

    // Safety systems of providers.
    {"policy violation", decides, content_policy},
    {"policy violated", decides, content_policy},
    {"violates policy", decides, content_policy},
    {"usage policy", decides, content_policy},
    {"policy $", decides, content_policy},
    {"refusal $", decides, content_policy},
    {"^ refusal", decides, content_policy},
    {"content filter", decides, content_policy},
    {"content filtered", decides, content_policy},
    {"content blocked", decides, content_policy},
    {"content rejected", decides, content_policy},
    {"content moderation", decides, content_policy},
    {"content safety", decides, content_policy},
    {"content security", decides, content_policy},
    {"content risk", decides, content_policy},
    {"content flagged", decides, content_policy},
    {"content inspection", decides, content_policy},
    {"data inspection", decides, content_policy},
    {"content violation", decides, content_policy},
    {"prohibited content", decides, content_policy},
    {"inappropriate content", decides, content_policy},
    {"unsafe content", decides, content_policy},
    {"harmful content", decides, content_policy},
    {"prompt blocked", decides, content_policy},
    {"prompt flagged", decides, content_policy},
    {"input flagged", decides, content_policy},
    {"output flagged", decides, content_policy},
    {"input blocked", decides, content_policy},
    {"output blocked", decides, content_policy},
    {"response blocked", decides, content_policy},
    {"flagged", decides, content_policy},
    {"moderation", decides, content_policy},
    {"moderated", decides, content_policy},
    {"sensitive", decides, content_policy},
    {"safety", decides, content_policy},
    {"unsafe", decides, content_policy},
    {"nsfw", decides, content_policy},
    {"toxic", decides, content_policy},
    {"toxicity", decides, content_policy},
    {"responsible ai", decides, content_policy},

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
    {"max tokens", as_status, invalid_request},
    {"too large", as_status, invalid_request},
    {"too long", as_status, invalid_request},
    {"too small", as_status, invalid_request},

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
    {"overloaded", decides, overloaded},
    {"overload", decides, overloaded},
    {"at capacity", decides, overloaded},
    {"no capacity", decides, overloaded},
    {"over capacity", decides, overloaded},
    {"out of capacity", decides, overloaded},
    {"capacity exceeded", decides, overloaded},
    {"capacity exhausted", decides, overloaded},
    {"capacity unavailable", decides, overloaded},
    {"capacity not available", decides, overloaded},
    {"insufficient capacity", decides, overloaded},
    {"insufficient instance capacity", decides, overloaded},
    {"insufficient host capacity", decides, overloaded},
    {"insufficient system resource", decides, overloaded},
    {"model busy", decides, overloaded},
    {"server busy", decides, overloaded},
    {"service busy", decides, overloaded},
    {"system busy", decides, overloaded},
    {"engine busy", decides, overloaded},
    {"too busy", decides, overloaded},
    {"queue full", decides, overloaded},
    {"high demand", decides, overloaded},
    {"high load", decides, overloaded},
    {"high traffic", decides, overloaded},

    // Throttles, and quotas of which a short window may be named beside the code.
    {"rate limit", decides, rate_limit},
    {"rate limits", decides, rate_limit},
    {"rate limited", decides, rate_limit},
    {"ratelimit", decides, rate_limit},
    {"ratelimited", decides, rate_limit},
    {"rate quota", decides, rate_limit},
    {"burst rate", decides, rate_limit},
    {"rate exceeded", decides, rate_limit},
    {"limit requests", decides, rate_limit},
    {"limit burst", decides, rate_limit},
    {"too many requests", decides, rate_limit},
    {"too many concurrent", decides, rate_limit},
    {"throttled", decides, rate_limit},
    {"throttling", decides, rate_limit},
    {"throttle", decides, rate_limit},
    {"request limit", decides, rate_limit},
    {"requests limit", decides, rate_limit},
    {"concurrency", decides, rate_limit},
    {"concurrent", decides, rate_limit},
    {"qps", decides, rate_limit},
    {"rpm", decides, rate_limit},
    {"tpm", decides, rate_limit},
    {"flow control", decides, rate_limit},
    {"frequency limit", decides, rate_limit},
    {"too frequent", decides, rate_limit},
    {"slow down", decides, rate_limit},
    {"quota exceeded", decides, long_window()},
    {"quota exhausted", decides, long_window()},
    {"quota limit", decides, long_window()},
    {"out of quota", decides, long_window()},
    {"exceed quota", decides, long_window()},
    {"exceeded quota", decides, long_window()},
    {"exceeded current quota", decides, long_window()},

    // Tools.
    {"tool not found", decides, tool_not_found},
    {"unknown tool", decides, tool_not_found},
    {"no such tool", decides, tool_not_found},
    {"function not found", decides, tool_not_found},
    {"command not found", decides, tool_not_found},
    {"method not found", decides, tool_not_found},
    {"unknown method", decides, tool_not_found},

    // Breakers.
    {"circuit breaker", decides, circuit_open},
    {"circuit open", decides, circuit_open},
    {"breaker open", decides, circuit_open},

    // Time.
    {"timeout", decides, timeout},
    {"timed out", decides, timeout},
    {"time out", decides, timeout},
    {"deadline exceeded", decides, timeout},
    {"response time exceeded", decides, timeout},

    // Credentials.
    {"unauthorized", as_status, authentication},
    {"unauthenticated", decides, authentication},
    {"not authenticated", decides, authentication},
    {"not authed", decides, authentication},
    {"not logged in", decides, authentication},
    {"login required", decides, authentication},
    {"auth required", decides, authentication},
    {"authentication", decides, authentication},
    {"auth fail", decides, authentication},
    {"auth failed", decides, authentication},
    {"auth failure", decides, authentication},
    {"auth error", decides, authentication},
    {"api key", decides, authentication},
    {"token expired", decides, authentication},
    {"token invalid", decides, authentication},
    {"token revoked", decides, authentication},
    {"expired token", decides, authentication},
    {"key expired", decides, authentication},
    {"expired key", decides, authentication},
    {"key invalid", decides, authentication},
    {"key disabled", decides, authentication},
    {"key revoked", decides, authentication},
    {"signature failure", decides, authentication},
    {"signature mismatch", decides, authentication},
    {"signature expired", decides, authentication},
    {"session expired", decides, authentication},
    {"credential", decides, authentication},
    {"credentials", decides, authentication},

    // Permissions.
    {"permission denied", decides, permission_denied},
    {"permission", decides, permission_denied},
    {"permissions", decides, permission_denied},
    {"access denied", decides, permission_denied},
    {"access forbidden", decides, permission_denied},
    {"no access", decides, permission_denied},
    {"forbidden", as_status, permission_denied},
    {"not authorized", decides, permission_denied},
    {"not allowed", as_status, permission_denied},
    {"insufficient scope", decides, permission_denied},
    {"missing scope", decides, permission_denied},
    {"scope", decides, permission_denied},
    {"account suspended", decides, permission_denied},
    {"account locked", decides, permission_denied},
    {"account disabled", decides, permission_denied},
    {"account inactive", decides, authentication},
    {"organization disabled", decides, permission_denied},
    {"organization restricted", decides, permission_denied},
    {"country", decides, permission_denied},
    {"region", decides, permission_denied},
    {"geo blocked", decides, permission_denied},
    {"not in channel", decides, permission_denied},

    // Things that do not exist.
    {"not found", decides, resource_not_found},
    {"notfound", decides, resource_not_found},
    {"not exist", decides, resource_not_found},
    {"does not exist", decides, resource_not_found},
    {"no such", decides, resource_not_found},

    // Connections, shortages, conflicts, stops.
    {"connection", as_status, network},
    {"network", as_status, network},
    {"dns", as_status, network},
    {"out of memory", decides, resource_exhausted},
    {"oom", decides, resource_exhausted},
    {"no space", decides, resource_exhausted},
    {"disk full", decides, resource_exhausted},
    {"already exists", as_status, invalid_request},
    {"conflict", as_status, {invalid_request, conflict}},
    {"cancelled", as_status, cancelled},
    {"canceled", as_status, cancelled},

    // Servers.
    {"unavailable", as_status, service_unavailable},
    {"internal", as_status, service_unavailable},
    {"server", as_status, service_unavailable},
    {"upstream", as_status, service_unavailable},
    {"bad response", as_status, service_unavailable},
    {"empty response", as_status, service_unavailable},
    {"bad gateway", as_status, service_unavailable},
    {"download failed", as_status, invalid_request},
    {"bad", as_status, invalid_request},
    {"invalid", as_status, invalid_request},
    {"unprocessable", as_status, invalid_request},
    {"validation", as_status, invalid_request},
};

constexpr std::size_t kRows = std::size(kFamilies);

// The same as phrases, so that they are compiled and found as phrases are.
consteval std::array<PhraseRow, kRows> phrases() {
  std::array<PhraseRow, kRows> rows{};
  for (std::size_t i = 0; i < kRows; ++i) {
    rows[i] = {kFamilies[i].words, {}, kFamilies[i].conclusion, kSource, Use::free};
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
    rows[i] = {words, kFamilies[i].weight, kFamilies[i].conclusion, kSource};
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
