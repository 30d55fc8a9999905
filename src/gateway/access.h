// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Who may ask what, by where a request comes from and what it was sent to. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "llm/errors.h"
#include "net/http.h"

namespace fuseboard::gateway {

// The configuration's, for the gateway's lifetime.
struct AccessRules {
  std::vector<std::string> allowed_hosts{};  // besides loopback's names, in lower case
  bool allow_anonymous = false;              // callers may come by any name and from any page
  std::string admin_token{};                 // empty: none
};

struct AccessProblem {
  llm::GatewayError error = llm::GatewayError::host_not_allowed;
  std::string message;
};

// Why a request was not meant for this gateway; nullopt: it was. Its Host must be a loopback name or an allowed one,
// and so the Origin, if a page sends it.
std::optional<AccessProblem> host_problem(const net::Headers& headers, const AccessRules& rules);

// Why a request, whatever it asks for, is not looked at any further; nullopt: it is. Callers need no key, so unless
// anybody may ask it must pass host_problem(), or any page in a browser here could spend the providers' keys, by DNS
// rebinding or by a form.
std::optional<AccessProblem> caller_problem(const net::Headers& headers, const AccessRules& rules);

// Why an admin request is not let in; nullopt: it is. With a token it must bring that. Without one it must come from
// loopback, and not by way of a proxy, behind which everybody comes from loopback; and, because a page in a browser on
// this machine is "from loopback" too, pass host_problem().
std::optional<AccessProblem> admin_problem(std::string_view peer_address, const net::Headers& headers,
                                           const AccessRules& rules);

}  // namespace fuseboard::gateway
