// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The HTTP clients of one loop: a provider has one of its own, as authorities to trust differ, and so its own idle
// connections.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "gateway/provider.h"
#include "net/client.h"
#include "net/loop.h"

namespace fuseboard::gateway {

// Loop thread only. As many clients as providers have ids.
class ProviderClients {
 public:
  ProviderClients(net::Loop& loop, std::shared_ptr<net::Resolver> resolver);

  // Made when it is first asked for, and made again when the provider's ca_file is another. Valid until the next call;
  // exchanges outlive it.
  net::HttpClient& of(const Provider& provider);

  // Lets go of the clients for all but these, and their idle connections. A call that began before and asks again has
  // one made, which stays until the next time.
  void keep(std::span<const std::shared_ptr<const Provider>> providers);

 private:
  struct Entry {
    std::string ca_file;
    std::unique_ptr<net::HttpClient> client;
  };

  net::Loop& loop_;
  const std::shared_ptr<net::Resolver> resolver_;
  std::vector<Entry> by_id_;
};

}  // namespace fuseboard::gateway
