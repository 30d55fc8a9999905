// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/mcp_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

namespace fuseboard::sim {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

class Mcp : public ::testing::Test {
 protected:
  Reply post(std::string_view body) { return mcp_reply({.body = body}, sessions_); }
  json call(std::string_view tool, const json& arguments = json::object()) {
    const json body = {{"jsonrpc", "2.0"},
                       {"id", 5},
                       {"method", "tools/call"},
                       {"params", {{"name", tool}, {"arguments", arguments}}}};
    const Reply reply = post(body.dump());
    EXPECT_EQ(reply.status, 200);
    json answer = json::parse(reply.body());
    EXPECT_EQ(answer["id"], 5);
    return answer;
  }
  McpSessions sessions_{1};
};

std::string session_of(const Reply& reply) {
  for (const auto& [name, value] : reply.headers) {
    if (name == "mcp-session-id") return value;
  }
  return {};
}

TEST_F(Mcp, InitializeNegotiatesTheVersionAndOpensASession) {
  for (const char* version : {"2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"}) {
    const json body = {
        {"jsonrpc", "2.0"}, {"id", "a"}, {"method", "initialize"}, {"params", {{"protocolVersion", version}}}};
    const Reply reply = post(body.dump());
    const json answer = json::parse(reply.body());
    EXPECT_EQ(answer["id"], "a");
    EXPECT_EQ(answer["result"]["protocolVersion"], version);
    EXPECT_TRUE(answer["result"]["capabilities"].contains("tools"));
    EXPECT_TRUE(sessions_.contains(session_of(reply)));
  }
  const Reply odd = post(R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"1999-01-01"}})");
  EXPECT_EQ(json::parse(odd.body())["result"]["protocolVersion"], "2025-11-25");
}

TEST_F(Mcp, NotificationsAreTakenAndPingsAnswered) {
  const Reply taken = post(R"({"jsonrpc":"2.0","method":"notifications/initialized"})");
  EXPECT_EQ(taken.status, 202);
  EXPECT_EQ(taken.body(), "");
  EXPECT_EQ(json::parse(post(R"({"jsonrpc":"2.0","id":1,"method":"ping"})").body())["result"], json::object());
}

TEST_F(Mcp, ListsItsToolsWithSchemas) {
  const json answer = json::parse(post(R"({"jsonrpc":"2.0","id":1,"method":"tools/list"})").body());
  std::vector<std::string> names;
  for (const json& tool : answer["result"]["tools"]) {
    names.push_back(tool["name"]);
    EXPECT_EQ(tool["inputSchema"]["type"], "object");
    EXPECT_TRUE(tool["inputSchema"]["properties"].is_object());
  }
  EXPECT_THAT(names, ::testing::ElementsAre("echo", "add", "fail", "slow", "crash"));
}

TEST_F(Mcp, ToolsDoWhatTheySay) {
  EXPECT_EQ(call("echo", {{"text", "hi"}})["result"]["content"][0]["text"], "hi");
  EXPECT_EQ(call("add", {{"a", 2}, {"b", 3}})["result"]["structuredContent"]["sum"], 5);
  EXPECT_EQ(call("add", {{"a", -2}, {"b", 3}})["result"]["content"][0]["text"], "1");
  EXPECT_EQ(call("add", {{"a", 0.5}, {"b", 1}})["result"]["content"][0]["text"], "1.5");
  EXPECT_EQ(call("add", {{"a", "x"}})["result"]["isError"], true);
  const json failed = call("fail", {{"message", "disk on fire"}});
  EXPECT_EQ(failed["result"]["isError"], true);
  EXPECT_EQ(failed["result"]["content"][0]["text"], "disk on fire");
  EXPECT_EQ(call("crash")["error"]["code"], -32603);
  EXPECT_EQ(call("nothing")["error"]["code"], -32602);
  EXPECT_EQ(call("nothing")["error"]["message"], "Unknown tool: nothing");
}

TEST_F(Mcp, SlowWaitsAndReportsProgressWhenAsked) {
  const Reply late =
      post(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow","arguments":{"ms":40}}})");
  EXPECT_EQ(late.wait, 40ms);
  EXPECT_FALSE(late.streamed);
  const Reply streamed = post(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow",
                                  "arguments":{"ms":40},"_meta":{"progressToken":"t"}}})");
  EXPECT_TRUE(streamed.streamed);
  ASSERT_EQ(streamed.steps.size(), 4U);
  EXPECT_EQ(streamed.steps[0].wait, 10ms);
  EXPECT_THAT(streamed.steps[0].bytes, HasSubstr("notifications/progress"));
  EXPECT_THAT(streamed.steps[3].bytes, HasSubstr("\"result\""));
}

TEST_F(Mcp, SlowIsBounded) {
  const Reply reply =
      post(R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"slow","arguments":{"ms":1e300}}})");
  EXPECT_EQ(reply.wait, 10min);
}

TEST_F(Mcp, BrokenMessagesAreProtocolErrors) {
  EXPECT_EQ(json::parse(post("{").body())["error"]["code"], -32700);
  EXPECT_EQ(post("{").status, 400);
  EXPECT_EQ(json::parse(post("[]").body())["error"]["code"], -32600);
  EXPECT_EQ(json::parse(post(R"({"id":1,"method":"ping"})").body())["error"]["code"], -32600);
  EXPECT_EQ(json::parse(post(R"({"jsonrpc":"2.0","id":{},"method":"ping"})").body())["error"]["code"], -32600);
  EXPECT_EQ(json::parse(post(R"({"jsonrpc":"2.0","id":1,"method":"nope"})").body())["error"]["code"], -32601);
}

TEST_F(Mcp, ADeadSessionIsA404) {
  const std::string id = sessions_.open();
  constexpr std::string_view kPing = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  EXPECT_EQ(mcp_reply({.body = kPing, .session = id}, sessions_).status, 200);
  EXPECT_TRUE(sessions_.close(id));
  EXPECT_FALSE(sessions_.close(id));
  const Reply refused = mcp_reply({.body = kPing, .session = id}, sessions_);
  EXPECT_EQ(refused.status, 404);
  EXPECT_EQ(json::parse(refused.body())["error"]["code"], -32001);
}

TEST_F(Mcp, TheTransportsHeadersAreChecked) {
  constexpr std::string_view kPing = R"({"jsonrpc":"2.0","id":1,"method":"ping"})";
  const auto status = [&](std::string_view version, std::string_view origin) {
    return mcp_reply({.body = kPing, .protocol_version = version, .origin = origin}, sessions_).status;
  };
  EXPECT_EQ(status("2025-06-18", ""), 200);
  EXPECT_EQ(status("1.0", ""), 400);
  EXPECT_EQ(status("", "http://localhost:3000"), 200);
  EXPECT_EQ(status("", "https://[::1]"), 200);
  EXPECT_EQ(status("", "http://localhost.evil.example"), 403);
  EXPECT_EQ(status("", "null"), 403);
}

TEST_F(Mcp, AtTheBoundTheOldestSessionGoes) {
  const std::string first = sessions_.open();
  const std::string second = sessions_.open();
  for (std::size_t i = 2; i < McpSessions::kMax; ++i) sessions_.open();
  EXPECT_TRUE(sessions_.contains(first));
  sessions_.open();
  EXPECT_FALSE(sessions_.contains(first));
  EXPECT_TRUE(sessions_.contains(second));
}

TEST_F(Mcp, TheToolIsKnownWithoutAnswering) {
  EXPECT_EQ(mcp_tool_of(R"({"method":"tools/call","params":{"name":"echo"}})"), "echo");
  EXPECT_EQ(mcp_tool_of(R"({"method":"tools/list","params":{"name":"echo"}})"), "");
  EXPECT_EQ(mcp_tool_of("[1]"), "");
}

}  // namespace
}  // namespace fuseboard::sim
