// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/provider.h"

#include <utility>

#include "config/header_names.h"
#include "net/authorities.h"

namespace fuseboard::gateway {
namespace {

void add_credential(net::Headers& headers, const config::ProviderConfig& provider) {
  switch (provider.auth) {
    case config::Auth::none:
    case config::Auth::passthrough:
      return;
    case config::Auth::bearer:
      return headers.set("authorization", "Bearer " + provider.api_key.reveal());
    case config::Auth::x_api_key:
      return headers.set("x-api-key", provider.api_key.reveal());
    case config::Auth::api_key:
      return headers.set("api-key", provider.api_key.reveal());
  }
}

llm::Dialect to_dialect(config::Dialect dialect) {
  switch (dialect) {
    case config::Dialect::openai:
      return llm::Dialect::openai;
    case config::Dialect::anthropic:
      return llm::Dialect::anthropic;
  }
  std::unreachable();
}

// What an upstream must not tell anybody of what it is sent: the credential, and what may be one among the extras. That
// a short one is none can be told by its name alone.
std::vector<std::string> secrets_of(const config::ProviderConfig& from) {
  constexpr std::size_t kLongEnough = 16;
  std::vector<std::string> secrets = {from.api_key.reveal()};
  for (const auto* const fields : {&from.headers, &from.query}) {
    for (const config::ExtraField& field : *fields) {
      const std::string& value = field.value.reveal();
      if (value.size() < kLongEnough && !config::is_credential_header(config::lowercase(field.name))) continue;
      secrets.push_back(value);
      // "Basic dXNlcg==": echoed without the scheme, too.
      if (const std::size_t space = value.rfind(' '); space != std::string::npos)
        secrets.push_back(value.substr(space + 1));
    }
  }
  return secrets;
}

}  // namespace

std::shared_ptr<const Provider> make_provider(const config::ProviderConfig& from, ProviderId id) {
  Provider provider{.id = id,
                    .name = from.name,
                    .dialect = to_dialect(from.dialect),
                    .auth = from.auth,
                    .cap_field = from.cap_field,
                    .origin = {.tls = from.base_url.tls, .host = from.base_url.host, .port = from.base_url.port},
                    .path_prefix = from.base_url.path,
                    .query = {},
                    .headers = {},
                    .forward_headers = from.forward_headers,
                    .ca_file = from.ca_file,
                    .authorities = net::read_authorities({.ca_file = from.ca_file})};
  for (const config::ExtraField& field : from.query) {
    if (!provider.query.empty()) provider.query += '&';
    provider.query += net::percent_encode(field.name) + '=' + net::percent_encode(field.value.reveal());
  }
  add_credential(provider.headers, from);
  for (const config::ExtraField& field : from.headers) provider.headers.set(field.name, field.value.reveal());
  provider.secrets = Redactor(secrets_of(from));
  return std::make_shared<const Provider>(std::move(provider));
}

}  // namespace fuseboard::gateway
