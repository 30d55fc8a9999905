// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// How one provider is reached.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "gateway/provider_ids.h"
#include "gateway/redactor.h"
#include "llm/dialect.h"
#include "net/http.h"

namespace fuseboard::gateway {

// Callers' credentials are their own: one that is refused says nothing of the others, so none is parked. A provider
// without a key that wants one refuses everybody alike, and one of its `headers` may be its key.
constexpr bool is_credential_ours(config::Auth auth) noexcept { return auth != config::Auth::passthrough; }

// Held by all routes that lead to it, and immutable: what a call began with holds to its end.
struct Provider {
  ProviderId id{};
  std::string name;
  llm::Dialect dialect = llm::Dialect::openai;
  config::Auth auth = config::Auth::none;
  config::CapField cap_field = config::CapField::max_tokens;  // in translated requests, for the openai dialect
  net::Origin origin;
  std::string path_prefix;  // of every request's path
  std::string query;        // "" or "a=b&c=d", encoded: secret
  net::Headers headers;     // the credential, unless each caller brings one, and the configured extras: secret
  std::vector<std::string> forward_headers{};  // see config::ProviderConfig
  std::string ca_file;
  std::shared_ptr<const void> authorities{};  // of ca_file; kept for the clients that are made for it
  Redactor secrets{};                         // knows the secrets above

  bool has_own_credential() const noexcept { return is_credential_ours(auth); }
};

// Throws InvalidOptions for a ca_file that cannot be read.
std::shared_ptr<const Provider> make_provider(const config::ProviderConfig& from, ProviderId id);

}  // namespace fuseboard::gateway
