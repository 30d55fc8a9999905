// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// The provider over real connections; what it decides is tested without them.
#include "sim/sim_provider.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <nlohmann/json.hpp>
#include <optional>

#include "net/client.h"
#include "net/loop.h"
#include "net/sse.h"

namespace fuseboard::sim {
namespace {

using namespace std::chrono_literals;
using net::TransportError;
using nlohmann::json;
using ::testing::HasSubstr;

struct Answer {
  int status = 0;
  net::Headers headers;
  std::string body;  // as far as it came
  std::optional<TransportError::Kind> error;
};

struct Ask {
  net::RequestHead head;
  std::string body;
  Duration patience = 20s;  // for the head, and for each piece of the body
};

// Reads until the end, an error or the end of patience; then drops the connection.
net::Task<void> fetch(net::HttpClient& client, const net::Origin& origin, const Ask& ask, Answer& answer,
                      std::promise<void>& done) {
  {
    net::ClientExchange exchange = client.exchange(origin);
    const TimePoint head_by = client.loop().now() + ask.patience;
    auto head = co_await exchange.send(ask.head, ask.body, {.connect_by = head_by, .head_by = head_by});
    if (!head) {
      answer.error = head.error().kind;
    } else {
      answer.status = head->status;
      answer.headers = head->headers;
      while (true) {
        const auto piece = co_await exchange.read_some(client.loop().now() + ask.patience);
        if (!piece) answer.error = piece.error().kind;
        if (!piece || piece->empty()) break;
        answer.body += *piece;
      }
    }
  }
  done.set_value();
}

class SimProviderHttp : public ::testing::Test {
 protected:
  explicit SimProviderHttp(SimOptions options = {.token_gap = Duration::zero()})
      : provider_(std::move(options)), server_(loops_, {}, provider_.handler()), client_(client_loops_.at(0)) {
    origin_.port = server_.listen("127.0.0.1", 0).value();
  }
  ~SimProviderHttp() override { client_loops_.stop(); }

  Answer send(const Ask& ask) {
    Answer answer;
    std::promise<void> done;
    client_loops_.at(0).post([&] { net::spawn(fetch(client_, origin_, ask, answer, done)); });
    done.get_future().wait();
    return answer;
  }
  Answer post(std::string path, std::string body, Duration patience = 20s) {
    return send({{.method = "POST", .target = std::move(path)}, std::move(body), patience});
  }
  Answer chat(const std::string& model, bool stream, Duration patience = 20s) {
    const json body = {{"model", model}, {"stream", stream}, {"messages", {{{"role", "user"}, {"content", "hello"}}}}};
    return post("/v1/chat/completions", body.dump(), patience);
  }
  // Every handler has ended, so the log says all that it will.
  json final_log() {
    server_.drain_and_wait(Deadline::after(loops_.at(0).now(), 20s));
    return json::parse(provider_.log_json());
  }

  net::LoopGroup loops_{2};
  net::LoopGroup client_loops_{1};
  SimProvider provider_;
  net::HttpServer server_;
  net::HttpClient client_;
  net::Origin origin_{.host = "127.0.0.1"};
};

std::vector<std::string> data_of(const std::string& body) {
  net::SseParser parser;
  parser.feed(body);
  parser.finish();
  std::vector<std::string> data;
  for (net::SseEvent event; parser.next(event) == net::SseParser::Next::event;) data.emplace_back(event.data);
  EXPECT_EQ(parser.leftover(), "");
  return data;
}

TEST_F(SimProviderHttp, AnswersPlainAndStreamedAlike) {
  const Answer plain = chat("gpt-5", false);
  EXPECT_EQ(plain.status, 200);
  EXPECT_EQ(plain.error, std::nullopt);
  EXPECT_EQ(plain.headers.get("x-sim-behaviour"), "sim-ok");
  EXPECT_FALSE(plain.headers.contains("x-fuseboard-demo"));
  const Answer streamed = chat("gpt-5", true);
  EXPECT_EQ(streamed.error, std::nullopt);
  EXPECT_THAT(std::string(streamed.headers.get("content-type")), HasSubstr("text/event-stream"));
  EXPECT_EQ(data_of(streamed.body).back(), "[DONE]");
}

TEST_F(SimProviderHttp, ACutStreamIsTruncatedAndOneThatEndsIsNot) {
  const Answer cut = chat("sim-stream-cut:2", true);
  EXPECT_EQ(cut.status, 200);
  EXPECT_TRUE(cut.error == TransportError::truncated || cut.error == TransportError::reset);
  EXPECT_EQ(data_of(cut.body).size(), 3U) << "the role and two tokens";
  const Answer eof = chat("sim-stream-eof:2", true);
  EXPECT_EQ(eof.error, std::nullopt);
  EXPECT_EQ(data_of(eof.body).size(), 3U);
  const Answer plain = chat("sim-stream-cut", false);
  EXPECT_TRUE(plain.error == TransportError::truncated || plain.error == TransportError::reset);
  EXPECT_FALSE(plain.body.empty());
}

TEST_F(SimProviderHttp, AResetComesBeforeTheHead) {
  const Answer reset = chat("sim-reset", false);
  EXPECT_EQ(reset.status, 0);
  EXPECT_TRUE(reset.error == TransportError::reset || reset.error == TransportError::closed_early);
  EXPECT_TRUE(final_log()["requests"][0]["status"].is_null());
}

TEST_F(SimProviderHttp, SilenceLastsUntilTheClientLeaves) {
  const Answer silent = chat("sim-silent", false, 60ms);
  EXPECT_EQ(silent.error, TransportError::head_timeout);
  const Answer stalled = chat("sim-stall:1", true, 60ms);
  EXPECT_EQ(stalled.status, 200);
  EXPECT_EQ(stalled.error, TransportError::body_timeout);
  EXPECT_EQ(data_of(stalled.body).size(), 2U);
  const json log = final_log();
  ASSERT_EQ(log["requests"].size(), 2U);
  for (const json& entry : log["requests"]) {
    EXPECT_EQ(entry["ended"], true);
    EXPECT_EQ(entry["client_left"], true);
  }
}

TEST_F(SimProviderHttp, AWaitEndsWhenTheClientLeaves) {
  EXPECT_EQ(chat("sim-slow-first-token:1h", false, 60ms).error, TransportError::head_timeout);
  EXPECT_EQ(chat("sim-slow:1h", true, 60ms).error, TransportError::body_timeout);
  const json log = final_log();
  EXPECT_EQ(log["totals"]["sim-slow:1h"]["client_left"], 1);
  EXPECT_EQ(log["totals"]["sim-slow-first-token:1h"]["client_left"], 1);
}

TEST_F(SimProviderHttp, ALateAnswerIsStillAnswered) {
  const Answer late = chat("sim-slow-first-token:30ms", true);
  EXPECT_EQ(late.error, std::nullopt);
  EXPECT_EQ(data_of(late.body).back(), "[DONE]");
  EXPECT_EQ(data_of(chat("sim-split-events", true).body).back(), "[DONE]");
}

TEST_F(SimProviderHttp, OddAnswersArriveAsTheyAre) {
  EXPECT_EQ(chat("sim-empty", true).body, "");
  EXPECT_EQ(chat("sim-html-502", false).status, 502);
  const Answer throttled = chat("sim-429-retry-after", false);
  EXPECT_EQ(throttled.headers.get("retry-after"), "1");
  EXPECT_EQ(throttled.headers.get("retry-after-ms"), "1000");
  EXPECT_EQ(chat("sim-error-in-200", true).status, 200);
}

TEST_F(SimProviderHttp, SpeaksMcpWithASession) {
  const Answer begun = post("/mcp", R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{}})");
  const std::string session(begun.headers.get("mcp-session-id"));
  EXPECT_FALSE(session.empty());
  const auto with_session = [&](std::string method, std::string body) {
    return send(
        {{.method = std::move(method), .target = "/mcp", .headers = {{"mcp-session-id", session}}}, std::move(body)});
  };
  EXPECT_EQ(with_session("POST", R"({"jsonrpc":"2.0","method":"notifications/initialized"})").status, 202);
  const Answer slow = with_session("POST", R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"slow",
                                              "arguments":{"ms":4},"_meta":{"progressToken":1}}})");
  EXPECT_EQ(data_of(slow.body).size(), 4U);
  EXPECT_EQ(with_session("DELETE", "").status, 204);
  EXPECT_EQ(with_session("POST", R"({"jsonrpc":"2.0","id":3,"method":"ping"})").status, 404);
}

TEST_F(SimProviderHttp, ItsControlsAreNotLogged) {
  chat("gpt-5", false);
  EXPECT_EQ(post("/sim/faults", R"({"phases":[{"for":"1h","faults":[{"kind":"status","status":529}]}]})").status, 200);
  EXPECT_EQ(chat("gpt-5", false).status, 529);
  const Answer log = send({{.target = "/sim/log"}, ""});
  EXPECT_EQ(json::parse(log.body)["received"], 2);
  EXPECT_EQ(post("/sim/reset", "").status, 200);
  EXPECT_EQ(json::parse(send({{.target = "/sim/log"}, ""}).body)["received"], 0);
}

class ImpatientSimProvider : public SimProviderHttp {
 protected:
  ImpatientSimProvider() : SimProviderHttp({.token_gap = Duration::zero(), .max_silence = 50ms, .demo = true}) {}
};

TEST_F(ImpatientSimProvider, SilenceIsBounded) {
  EXPECT_NE(chat("sim-silent", false).error, std::nullopt);
  EXPECT_NE(chat("sim-stall", true).error, std::nullopt);
  EXPECT_EQ(final_log()["totals"]["sim-silent"]["client_left"], 0);
}

TEST_F(ImpatientSimProvider, DemoAnswersSayThatTheyAre) {
  EXPECT_EQ(chat("gpt-5", true).headers.get("x-fuseboard-demo"), "1");
  EXPECT_EQ(post("/v1/nothing", "").headers.get("x-fuseboard-demo"), "1");
}

TEST(SimProvider, RefusesOptionsThatMakeNoSense) { EXPECT_THROW(SimProvider({.token_gap = -1ms}), InvalidOptions); }

}  // namespace
}  // namespace fuseboard::sim
