// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "gateway/provider_clients.h"

#include <gtest/gtest.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

namespace fuseboard::gateway {
namespace {

std::shared_ptr<const Provider> provider(std::uint32_t id, std::string ca_file = "") {
  return std::make_shared<const Provider>(Provider{.id = ProviderId{id}, .ca_file = std::move(ca_file)});
}

// On the thread of a loop, where clients are.
class ProviderClientsTest : public testing::Test {
 protected:
  ~ProviderClientsTest() override { loops_.stop(); }
  void on_loop(auto use) {
    std::promise<void> done;
    loops_.at(0).post([&] {
      use();
      done.set_value();
    });
    done.get_future().wait();
  }

  net::LoopGroup loops_{1};
  ProviderClients clients_{loops_.at(0), nullptr};
};

TEST_F(ProviderClientsTest, AProviderHasAClientOfItsOwn) {
  on_loop([&] {
    net::HttpClient* const one = &clients_.of(*provider(0));
    EXPECT_NE(&clients_.of(*provider(2)), one);
    EXPECT_EQ(&clients_.of(*provider(0)), one) << "whichever routing it is of";
  });
}

TEST_F(ProviderClientsTest, AChangeOfRoutingKeepsTheClientsOfThoseThatStay) {
  on_loop([&] {
    net::HttpClient* const stays = &clients_.of(*provider(1));
    clients_.of(*provider(0));
    clients_.keep(std::vector{provider(5), provider(1)});
    EXPECT_EQ(&clients_.of(*provider(1)), stays);
    EXPECT_EQ(clients_.of(*provider(0)).idle_connections(), 0U) << "a call that began before has one";
  });
}

TEST_F(ProviderClientsTest, AnExchangeOutlivesItsClient) {
  on_loop([&] {
    net::ClientExchange exchange = clients_.of(*provider(0)).exchange({.host = "127.0.0.1", .port = 1});
    clients_.keep({});
    exchange.cancel();
  });
}

TEST_F(ProviderClientsTest, OtherAuthoritiesMakeAnotherClient) {
  on_loop([&] {
    clients_.of(*provider(0));
    EXPECT_THROW(clients_.of(*provider(0, "/nonexistent.pem")), InvalidOptions) << "it is not the one before";
  });
}

}  // namespace
}  // namespace fuseboard::gateway
