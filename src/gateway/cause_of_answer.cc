// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/cause_of_answer.h"

#include <fmt/format.h>

#include <string_view>

#include "gateway/cause.h"

namespace fuseboard::gateway {
namespace {

bool is_redirect(int status) { return status >= 300 && status <= 399 && status != 304; }

// "https://api.example.com", without path, query and password; empty where it leads nowhere else or is no URL.
std::string origin_of_location(std::string_view location) {
  const std::size_t scheme = location.find("://");
  if (scheme == std::string_view::npos) return {};
  std::string_view authority = location.substr(scheme + 3);
  authority = authority.substr(0, authority.find_first_of("/?#\\"));
  authority.remove_prefix(authority.rfind('@') + 1);  // npos + 1 is 0
  const auto origin = net::parse_origin(std::string(location.substr(0, scheme + 3)) + std::string(authority));
  return origin ? net::to_text(*origin) : std::string();
}

std::string redirect_cause(const net::ResponseHead& head) {
  const std::string origin = origin_of_location(head.headers.get("location"));
  if (origin.empty()) {
    return fmt::format("answered {}, a redirect to another path, which is not followed; correct its base_url",
                       head.status);
  }
  return fmt::format("answered {}, a redirect to {}, which is not followed; correct its base_url", head.status, origin);
}

std::string detail_of(const llm::ErrorDetails& error) {
  return careful_words(!error.message.empty() ? error.message : !error.code.empty() ? error.code : error.type);
}

}  // namespace

std::string cause_of_answer(const net::ResponseHead& head, const llm::ErrorDetails& error) {
  if (is_redirect(head.status)) return redirect_cause(head);
  const std::string detail = detail_of(error);
  return detail.empty() ? fmt::format("answered {}", head.status) : fmt::format("answered {}: {}", head.status, detail);
}

std::string cause_of_content(const llm::ErrorDetails& error) {
  const std::string detail = detail_of(error);
  return detail.empty() ? "its response is not valid for its API dialect" : "answered with an error: " + detail;
}

}  // namespace fuseboard::gateway
