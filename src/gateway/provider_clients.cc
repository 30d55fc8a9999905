// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/provider_clients.h"

#include <utility>

namespace fuseboard::gateway {

ProviderClients::ProviderClients(net::Loop& loop, std::shared_ptr<net::Resolver> resolver)
    : loop_(loop), resolver_(std::move(resolver)) {}

net::HttpClient& ProviderClients::of(const Provider& provider) {
  const std::size_t index = std::to_underlying(provider.id);
  if (index >= by_id_.size()) by_id_.resize(index + 1);
  Entry& entry = by_id_[index];
  if (entry.client == nullptr || entry.ca_file != provider.ca_file) {
    entry = {.ca_file = provider.ca_file,
             .client = std::make_unique<net::HttpClient>(
                 loop_, net::ClientOptions{.tls = {.ca_file = provider.ca_file}, .resolver = resolver_})};
  }
  return *entry.client;
}

void ProviderClients::keep(std::span<const std::shared_ptr<const Provider>> providers) {
  std::vector<Entry> kept(by_id_.size());
  for (const auto& provider : providers) {
    const std::size_t index = std::to_underlying(provider->id);
    if (index < by_id_.size() && by_id_[index].ca_file == provider->ca_file) kept[index] = std::move(by_id_[index]);
  }
  by_id_ = std::move(kept);
}

}  // namespace fuseboard::gateway
