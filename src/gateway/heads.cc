// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/heads.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

namespace fuseboard::gateway {
namespace {

bool begins_with(std::string_view name, std::string_view prefix) {
  return name.size() > prefix.size() && net::starts_with_ignoring_case(name, prefix);
}

template <std::size_t N>
bool is_one_of(std::string_view name, const std::array<std::string_view, N>& names) {
  return std::ranges::any_of(names, [&](std::string_view one) { return net::equal_ignoring_case(name, one); });
}

// What an upstream lets web pages do is not for us to grant in its name.
bool grants_web_pages(std::string_view name) { return begins_with(name, "access-control-"); }

bool is_ours(std::string_view name) { return begins_with(name, "x-fuseboard-"); }

// Of the caller's request. A compressed answer could not be read, so none is asked for.
constexpr std::array<std::string_view, 6> kNotForUpstream = {
    "cookie", "host", "content-length", "expect", "accept-encoding", "x-request-id"};

// The caller's towards us. They leave only where a provider is configured to get them.
constexpr std::array<std::string_view, 3> kCredentials = {"authorization", "x-api-key", "api-key"};

// Of the upstream's answer. Its ids of the request would contradict ours.
constexpr std::array<std::string_view, 4> kNotForCaller = {"content-length", "x-request-id", "request-id",
                                                           "set-cookie"};

// Headers that mean something to one dialect's servers alone.
bool is_of_one_dialect(std::string_view name) {
  return begins_with(name, "anthropic-") || begins_with(name, "openai-") || begins_with(name, "x-stainless-");
}

// Whether Connection lists headers besides its own options, which are what it says nearly always.
bool names_headers(const net::Headers& headers) {
  const std::string_view value = headers.get("connection");
  return !value.empty() && !net::equal_ignoring_case(value, "keep-alive") && !net::equal_ignoring_case(value, "close");
}

// Calls `visit` with each parameter of a query.
template <typename Visit>
void for_each_parameter(std::string_view query, Visit visit) {
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    if (end > 0) visit(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
}

// A parameter's name as servers read it. One that cannot be decoded is compared as it is.
std::string parameter_name(std::string_view parameter) {
  std::string name(parameter.substr(0, parameter.find('=')));
  std::ranges::replace(name, '+', ' ');
  return net::percent_decode(name).value_or(name);
}

// The caller's parameters as they are but for those that the provider sets, then the provider's.
std::string joined_query(std::string_view callers, std::string_view providers) {
  std::string query;
  const auto add = [&](std::string_view parameter) {
    query += query.empty() ? '?' : '&';
    query += parameter;
  };
  for_each_parameter(callers, [&](std::string_view parameter) {
    bool replaced = false;
    for_each_parameter(providers,
                       [&](std::string_view own) { replaced |= parameter_name(own) == parameter_name(parameter); });
    if (!replaced) add(parameter);
  });
  if (!providers.empty()) add(providers);
  return query;
}

// Without the scheme; empty for any other scheme.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (!begins_with(authorization, kScheme)) return {};
  return authorization.substr(std::min(authorization.find_first_not_of(' ', kScheme.size()), authorization.size()));
}

// The caller's credential, from the header of its dialect first; empty where there is none.
std::string_view callers_token(const net::Headers& headers, llm::Dialect spoken) {
  const std::string_view bearer = bearer_token(headers.get("authorization"));
  const std::string_view key = headers.contains("x-api-key") ? headers.get("x-api-key") : headers.get("api-key");
  const bool bearer_first = spoken == llm::Dialect::openai;
  return key.empty() || (bearer_first && !bearer.empty()) ? bearer : key;
}

// To a provider of another dialect than the caller's.
void convert_credential(const net::Headers& caller, llm::Dialect spoken, net::Headers& headers) {
  const std::string_view token = callers_token(caller, spoken);
  if (token.empty()) return;
  if (spoken == llm::Dialect::openai) {
    headers.set("x-api-key", token);
  } else {
    headers.set("authorization", "Bearer " + std::string(token));
  }
}

}  // namespace

net::RequestHead upstream_request(const net::RequestHead& caller, const Provider& provider, std::string_view path,
                                  llm::Dialect spoken) {
  const bool translated = spoken != provider.dialect;
  const bool passes_credential = provider.auth == config::Auth::passthrough;
  net::RequestHead head{.method = caller.method, .target = provider.path_prefix, .headers = {}};
  head.target += path;
  head.target += joined_query(translated ? std::string_view() : net::split_target(caller.target).query, provider.query);
  net::Headers& headers = head.headers;
  headers.reserve(caller.headers.size() + provider.headers.size() + 3, 1024);
  const bool lists_headers = names_headers(caller.headers);
  for (const net::Header header : caller.headers) {
    const bool withheld = is_one_of(header.name, kNotForUpstream) || is_ours(header.name) ||
                          (is_one_of(header.name, kCredentials) && (translated || !passes_credential)) ||
                          (translated && is_of_one_dialect(header.name)) || net::is_hop_by_hop(header.name) ||
                          (lists_headers && caller.headers.has_token("connection", header.name));
    if (!withheld) headers.add(header.name, header.value);
  }
  // Without the header any coding would be allowed (RFC 9110 12.5.3), and a coded answer could not be judged.
  headers.set("accept-encoding", "identity");
  if (translated) headers.set("content-type", "application/json");
  if (translated && passes_credential) convert_credential(caller.headers, spoken, headers);
  // Every request must name one; this is the one that what we write ourselves is written for.
  const bool tells_version = provider.dialect == llm::Dialect::anthropic && !headers.contains("anthropic-version");
  if (tells_version) headers.set("anthropic-version", "2023-06-01");
  for (const net::Header header : provider.headers) headers.set(header.name, header.value);
  return head;
}

net::ResponseHead caller_response(const net::ResponseHead& upstream, const ServedBy& served_by, llm::Dialect spoken) {
  const bool translated = spoken != served_by.dialect;
  net::ResponseHead head{.status = upstream.status, .headers = {}};
  head.headers.reserve(upstream.headers.size() + 4, 1024);
  const bool lists_headers = names_headers(upstream.headers);
  for (const net::Header header : upstream.headers) {
    const bool withheld = net::is_hop_by_hop(header.name) || (translated && is_of_one_dialect(header.name)) ||
                          is_one_of(header.name, kNotForCaller) || is_ours(header.name) ||
                          grants_web_pages(header.name) ||
                          (lists_headers && upstream.headers.has_token("connection", header.name));
    if (!withheld) head.headers.add(header.name, header.value);
  }
  add_served_by(head.headers, served_by);
  return head;
}

void describe_own_body(net::Headers& headers, bool streamed) {
  for (const std::string_view name :
       {"content-encoding", "content-disposition", "content-md5", "digest", "etag", "last-modified"}) {
    headers.erase(name);
  }
  headers.set("content-type", streamed ? "text/event-stream; charset=utf-8" : "application/json");
}

void add_served_by(net::Headers& headers, const ServedBy& served_by) {
  headers.add("x-request-id", served_by.request_id);
  // Where Anthropic's SDKs look for it.
  if (served_by.dialect == llm::Dialect::anthropic) headers.add("request-id", served_by.request_id);
  if (!served_by.target.empty()) headers.add("x-fuseboard-target", served_by.target);
  headers.add("x-fuseboard-attempts", std::to_string(served_by.attempts));
  if (served_by.demo) headers.add("x-fuseboard-demo", "1");
}

}  // namespace fuseboard::gateway
