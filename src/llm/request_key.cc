// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "llm/request_key.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "json/canonical.h"
#include "json/string.h"
#include "json/string_decoder.h"
#include "llm/digest.h"

namespace fuseboard::llm {
namespace {

struct Member {
  std::string name;
  std::string_view value;
};

std::expected<std::vector<Member>, json::Error> members_of(std::string_view body) {
  std::vector<Member> members;
  bool wrong_name = false;
  const auto invalid = json::validate_object(body, [&](const json::Member& member) {
    if (auto name = json::unescape(member.name)) {
      members.push_back({.name = *std::move(name), .value = member.value});
    } else {
      wrong_name = true;
    }
  });
  if (invalid) return std::unexpected(*invalid);
  if (wrong_name) return std::unexpected(json::Error{.what = "half a surrogate pair"});
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return json::before_in_utf16(a.name, b.name); });
  const auto twice = std::adjacent_find(members.begin(), members.end(),
                                        [](const Member& a, const Member& b) { return a.name == b.name; });
  if (twice != members.end()) return std::unexpected(json::Error{.what = "two members of one name"});
  return members;
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(out.size() > 1 ? ",\"" : "\"").append(name).append("\":");
  json::append_valid_string(out, text);
}

}  // namespace

std::expected<CanonicalRequest, json::Error> canonical_request(std::string_view body) {
  if (body.size() > kMaxCacheableBody) return std::unexpected(json::Error{.what = "too large to be cached"});
  const auto members = members_of(body);
  if (!members) return std::unexpected(members.error());
  CanonicalRequest request;
  request.members = "{";
  for (const Member& member : *members) {
    if (member.name == "model") continue;
    // What is no boolean is refused upstream; it stays in the members, so that it is nobody else's request.
    if (member.name == "stream" && (member.value == "true" || member.value == "false")) {
      request.stream = member.value == "true";
      continue;
    }
    if (request.members.size() > 1) request.members += ',';
    json::append_valid_string(request.members, member.name);
    request.members += ':';
    const bool in_any_order = member.name == "tools" || member.name == "functions";
    const auto done = in_any_order ? json::append_canonical_set(request.members, member.value)
                                   : json::append_canonical(request.members, member.value);
    if (!done) return std::unexpected(done.error());
  }
  request.members += '}';
  return request;
}

CacheKey cache_key(const CanonicalRequest& request, const CacheTarget& target) {
  std::string text = "{";
  append_member(text, "endpoint", target.endpoint);
  append_member(text, "model", target.model);
  append_member(text, "provider", target.provider);
  text.append(",\"request\":").append(request.members);
  text.append(",\"stream\":").append(request.stream ? "true}" : "false}");
  return {.bytes = sha256(text)};
}

}  // namespace fuseboard::llm
