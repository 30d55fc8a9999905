// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/heads.h"

#include <array>
#include <string>

namespace fuseboard::gateway {
namespace {

// What an upstream lets web pages do is not for us to grant in its name.
bool grants_web_pages(std::string_view name) {
  constexpr std::string_view kPrefix = "access-control-";
  return name.size() > kPrefix.size() && net::equal_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

// Of the caller's request. Credentials are the caller's towards us and never leave. A compressed answer could not be
// read, so none is asked for.
constexpr std::array<std::string_view, 9> kNotForUpstream = {
    "authorization",  "x-api-key", "api-key",         "cookie",      "host",
    "content-length", "expect",    "accept-encoding", "x-request-id"};

bool is_ours(std::string_view name) {
  constexpr std::string_view kPrefix = "x-fuseboard-";
  return name.size() > kPrefix.size() && net::equal_ignoring_case(name.substr(0, kPrefix.size()), kPrefix);
}

bool not_for_upstream(std::string_view name) {
  for (const std::string_view withheld : kNotForUpstream) {
    if (net::equal_ignoring_case(name, withheld)) return true;
  }
  return is_ours(name);
}

// Whether Connection lists headers besides its own options, which are what it says nearly always.
bool names_headers(const net::Headers& headers) {
  const std::string_view value = headers.get("connection");
  return !value.empty() && !net::equal_ignoring_case(value, "keep-alive") && !net::equal_ignoring_case(value, "close");
}

}  // namespace

net::RequestHead upstream_request(const net::RequestHead& caller, const Provider& provider, std::string_view path) {
  net::RequestHead head{.method = caller.method, .target = provider.path_prefix, .headers = {}};
  head.target += path;
  head.target += provider.query;
  net::Headers& headers = head.headers;
  headers.reserve(caller.headers.size() + provider.headers.size() + 1, 1024);
  const bool lists_headers = names_headers(caller.headers);
  for (const net::Header header : caller.headers) {
    const bool withheld = not_for_upstream(header.name) || net::is_hop_by_hop(header.name) ||
                          (lists_headers && caller.headers.has_token("connection", header.name));
    if (!withheld) headers.add(header.name, header.value);
  }
  // Without the header any coding would be allowed (RFC 9110 12.5.3), and a coded answer could not be judged.
  headers.set("accept-encoding", "identity");
  for (const net::Header header : provider.headers) headers.set(header.name, header.value);
  return head;
}

net::ResponseHead caller_response(const net::ResponseHead& upstream, const ServedBy& served_by) {
  net::ResponseHead head{.status = upstream.status, .headers = {}};
  head.headers.reserve(upstream.headers.size() + 4, 1024);
  const bool lists_headers = names_headers(upstream.headers);
  for (const net::Header header : upstream.headers) {
    const bool withheld = net::is_hop_by_hop(header.name) || net::equal_ignoring_case(header.name, "content-length") ||
                          net::equal_ignoring_case(header.name, "x-request-id") ||
                          net::equal_ignoring_case(header.name, "set-cookie") || is_ours(header.name) ||
                          grants_web_pages(header.name) ||
                          (lists_headers && upstream.headers.has_token("connection", header.name));
    if (!withheld) head.headers.add(header.name, header.value);
  }
  add_served_by(head.headers, served_by);
  return head;
}

void add_served_by(net::Headers& headers, const ServedBy& served_by) {
  headers.add("x-request-id", served_by.request_id);
  if (!served_by.target.empty()) headers.add("x-fuseboard-target", served_by.target);
  headers.add("x-fuseboard-attempts", std::to_string(served_by.attempts));
  if (served_by.demo) headers.add("x-fuseboard-demo", "1");
}

}  // namespace fuseboard::gateway
