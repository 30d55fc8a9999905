// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Codes that stand inside texts and that nobody writes without meaning them: curl's, JSON-RPC's, errno names, classes
// of exceptions, gRPC's statuses, browsers' and Apple's errors.
#include <charconv>

#include "classify/fold.h"
#include "classify/judge.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;
using enum Modifier;

constexpr std::uint64_t word(std::string_view text) { return hash_lower(text); }

// "curl: (28) Operation timed out"
const TypedRow* curl_in(std::string_view text) noexcept {
  const std::size_t at = text.substr(0, Words::kMaxHead).find("curl: (");
  if (at == std::string_view::npos) return nullptr;
  int code = 0;
  const std::string_view digits = text.substr(at + 7, 4);
  std::from_chars(digits.data(), digits.data() + digits.size(), code);
  return curl_row(code);
}

}  // namespace

// "MCP error -32001: Request timed out"
const NumberRow* rpc_code_in(std::string_view text) noexcept {
  const std::size_t at = text.substr(0, Words::kMaxHead).find("error -32");
  if (at == std::string_view::npos) return nullptr;
  int code = 0;
  const std::string_view digits = text.substr(at + 6, 7);
  std::from_chars(digits.data(), digits.data() + digits.size(), code);
  return json_rpc_row(code);
}

namespace {

bool is_code_word(std::string_view text) noexcept {
  if (text.size() < 4 || (text[0] != 'E' && text[0] != 'U' && text[0] != 'C' && text[0] != 'D' && text[0] != 'S')) {
    return false;
  }
  for (const char c : text) {
    if (!(c >= 'A' && c <= 'Z') && !is_digit(c) && c != '_') return false;
  }
  return true;
}

// ECONNREFUSED, EAI_AGAIN, UND_ERR_SOCKET: names that nobody writes without meaning them.
const TypedRow* errno_in(const Words& words) noexcept {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind != WordKind::plain && words[i].kind != WordKind::name) continue;
    const std::string_view text = words.text(words[i]);
    if (!is_code_word(text)) continue;
    if (const TypedRow* const row = errno_row(text)) return row;
  }
  return nullptr;
}

bool looks_like_exception(std::string_view name) noexcept {
  if (name.empty() || name[0] < 'A' || name[0] > 'Z') return false;
  for (const std::string_view ending :
       {"Error", "Exception", "Timeout", "Expired", "Interrupt", "Disconnected", "Exceeded", "Exhausted", "Denied"}) {
    if (name.ends_with(ending)) return true;
  }
  return false;
}

std::string_view last_segment(std::string_view name) noexcept {
  const std::size_t at = name.find_last_of(".:$/");
  return at == std::string_view::npos ? name : name.substr(at + 1);
}

// A gRPC status in its place: "StatusRuntimeException: UNAVAILABLE: io exception" (Java), "Error: 14 UNAVAILABLE: ..."
// (Node.js), "status: Unauthenticated, message: ..." (tonic).
bool is_grpc_name(const Words& words, std::size_t at) noexcept {
  if (at == 0) return false;
  const std::string_view before = words.text(words[at - 1]);
  if (words.is(at - 1, word("status")) && words.is(at + 1, word("message"))) return true;
  const std::string_view text = words.text(words[at]);
  for (const char c : text) {
    if (!(c >= 'A' && c <= 'Z') && c != '_') return false;
  }
  for (const std::string_view thrower : {"StatusRuntimeException", "StatusException", "RpcException"}) {
    if (before.ends_with(thrower)) return true;
  }
  const char after = words[at].end < words.text().size() ? words.text()[words[at].end] : '\n';
  return after == ':' && words[at - 1].kind == WordKind::number && before.size() <= 2;
}

// The class of an exception, "openai.RateLimitError: ...", or a code in its place: "An error occurred (AccessDenied)
// when ...", "StatusCode.UNAVAILABLE", "rpc error: code = Unavailable desc = ...". Of several the last, which is the
// cause.
const CodeRow* exception_in(const Words& words) noexcept {
  const CodeRow* last = nullptr;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind != WordKind::plain && words[i].kind != WordKind::name) continue;
    const std::string_view text = words.text(words[i]);
    const std::string_view name = last_segment(text);
    const char after = words[i].end < words.text().size() ? words.text()[words[i].end] : '\n';
    const bool stands_as_class = after == ':' || after == '(' || after == ')' || after == '\n' || after == '\r';
    const bool is_class = stands_as_class && looks_like_exception(name);
    const bool is_grpc =
        text.starts_with("StatusCode.") || is_grpc_name(words, i) ||
        (i >= 3 && words.is(i - 3, word("rpc")) && words.is(i - 2, word("error")) && words.is(i - 1, word("code")));
    const bool is_aws = (after == ')' && i > 0 && words.is(i - 1, word("occurred"))) ||
                        (after == ':' && i > 1 && words.is(i - 1, word("error")) && words.is(i - 2, word("api")));
    if (!is_class && !is_grpc && !is_aws) continue;
    const CodeRow* row = code_row(name);
    if (row == nullptr && (is_aws || name.size() > 8)) row = family_row(name);
    if (row != nullptr) last = row;
  }
  return last;
}

// "Status(StatusCode="Unavailable", Detail="...")", as .NET prints it.
const CodeRow* dotnet_grpc_in(std::string_view text) noexcept {
  constexpr std::string_view kOpening = "StatusCode=\"";
  const std::size_t at = text.substr(0, Words::kMaxHead).find(kOpening);
  if (at == std::string_view::npos) return nullptr;
  text = text.substr(at + kOpening.size(), 32);
  return code_row(text.substr(0, text.find('"')));
}

// Chromium's "net::ERR_*", by the words that the names are made of.
struct BrowserRow {
  std::string_view part;
  TypedRow row;
};
constexpr BrowserRow kChromium[] = {
    {"CERT", {"net::ERR_CERT_*", Conclusion(network, untrusted_certificate), "Chromium net errors"}},
    {"TIMED_OUT", {"net::ERR_*_TIMED_OUT", Conclusion(timeout), "Chromium net errors"}},
    {"BLOCKED_BY", {"net::ERR_BLOCKED_BY_*", Conclusion(policy_violation), "Chromium net errors"}},
    {"ERR_ABORTED", {"net::ERR_ABORTED", Conclusion(cancelled), "Chromium net errors"}},
    {"FILE_NOT_FOUND", {"net::ERR_FILE_NOT_FOUND", Conclusion(resource_not_found), "Chromium net errors"}},
    {"ACCESS_DENIED", {"net::ERR_ACCESS_DENIED", Conclusion(permission_denied), "Chromium net errors"}},
    {"INVALID_URL", {"net::ERR_INVALID_URL", Conclusion(invalid_request), "Chromium net errors"}},
    {"URL_SCHEME", {"net::ERR_*_URL_SCHEME", Conclusion(invalid_request), "Chromium net errors"}},
    {"INVALID_ARGUMENT", {"net::ERR_INVALID_ARGUMENT", Conclusion(invalid_request), "Chromium net errors"}},
    {"AUTH_CREDENTIALS", {"net::ERR_*_AUTH_CREDENTIALS", Conclusion(authentication), "Chromium net errors"}},
    {"OUT_OF_MEMORY", {"net::ERR_OUT_OF_MEMORY", Conclusion(resource_exhausted), "Chromium net errors"}},
    {"INSUFFICIENT_RESOURCES",
     {"net::ERR_INSUFFICIENT_RESOURCES", Conclusion(resource_exhausted), "Chromium net errors"}},
    {"TOO_MANY_REDIRECTS", {"net::ERR_TOO_MANY_REDIRECTS", Conclusion(service_unavailable), "Chromium net errors"}},
    {"HTTP_RESPONSE_CODE",
     {"net::ERR_HTTP_RESPONSE_CODE_FAILURE", Conclusion(service_unavailable), "Chromium net errors"}},
    {"INVALID_RESPONSE", {"net::ERR_INVALID_RESPONSE", Conclusion(service_unavailable), "Chromium net errors"}},
    {"", {"net::ERR_*", Conclusion(network), "Chromium net errors"}},
};
// Firefox's names of the same.
constexpr BrowserRow kFirefox[] = {
    {"SEC_ERROR_", {"SEC_ERROR_*", Conclusion(network, untrusted_certificate), "Firefox network errors"}},
    {"CERT", {"SSL_ERROR_*_CERT_*", Conclusion(network, untrusted_certificate), "Firefox network errors"}},
    {"NS_ERROR_NET_TIMEOUT", {"NS_ERROR_NET_TIMEOUT", Conclusion(timeout), "Firefox network errors"}},
    {"NS_BINDING_ABORTED", {"NS_BINDING_ABORTED", Conclusion(cancelled), "Firefox network errors"}},
    {"NS_ERROR_ABORT", {"NS_ERROR_ABORT", Conclusion(cancelled), "Firefox network errors"}},
    {"NS_ERROR_MALFORMED_URI", {"NS_ERROR_MALFORMED_URI", Conclusion(invalid_request), "Firefox network errors"}},
    {"", {"NS_ERROR_*", Conclusion(network), "Firefox network errors"}},
};

template <std::size_t N>
const TypedRow* first_part(const BrowserRow (&rows)[N], std::string_view name) noexcept {
  for (const BrowserRow& row : rows) {
    if (name.contains(row.part)) return &row.row;
  }
  return nullptr;
}

const TypedRow* browser_in(const Words& words) noexcept {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind != WordKind::name) continue;
    const std::string_view text = words.text(words[i]);
    if (text.starts_with("net::ERR_")) return first_part(kChromium, text);
    for (const std::string_view prefix :
         {"NS_ERROR_", "NS_BINDING_", "SEC_ERROR_", "SSL_ERROR_", "MOZILLA_PKIX_ERROR_"}) {
      if (text.starts_with(prefix) && text != "SSL_ERROR_SYSCALL") return first_part(kFirefox, text);
    }
  }
  return nullptr;
}

// "Error Domain=NSURLErrorDomain Code=-1001"
std::optional<Match> apple_in(std::string_view text) noexcept {
  constexpr std::string_view kOpening = "NSURLErrorDomain";
  const std::size_t at = text.substr(0, Words::kMaxHead).find(kOpening);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view rest = text.substr(at + kOpening.size(), 32);
  const std::size_t minus = std::min(rest.find('-'), rest.size());
  int code = 0;
  std::from_chars(rest.data() + minus, rest.data() + rest.size(), code);
  if (const NumberRow* const row = apple_row(code)) return found(*row, "NSURLError");
  return found(network, "NSURLError", "any other", "NSURLError.h");
}

// What is no more than "it failed", so that the text behind it says more.
constexpr CategorySet kGeneric = {service_unavailable, invalid_request, execution_error};

}  // namespace

TypedText typed_in(std::string_view text, const Words& words) noexcept {
  if (const TypedRow* const row = curl_in(text)) return {found(*row)};
  if (const NumberRow* const row = rpc_code_in(text); row != nullptr && !row->weak) {
    return {found(*row, "JSON-RPC code")};
  }
  if (const TypedRow* const row = browser_in(words)) return {found(*row)};
  if (const TypedRow* const row = errno_in(words)) return {found(*row)};
  if (const auto apple = apple_in(text)) return {apple};
  if (const CodeRow* const row = dotnet_grpc_in(text)) return {found(*row)};
  if (const CodeRow* const row = exception_in(words)) {
    return {found(*row), kGeneric.contains(row->conclusion.category) ? Certainty::generic : Certainty::firm};
  }
  return {};
}

}  // namespace fuseboard::classify_internal
