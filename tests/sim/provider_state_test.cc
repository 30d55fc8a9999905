// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "sim/provider_state.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "tests/sim/answering.h"

namespace fuseboard::sim {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

class Provider : public ::testing::Test {
 protected:
  ManualClock clock_;
  ManualWallClock wall_clock_{std::chrono::sys_seconds(1'767'225'600s)};

  SimOptions options() { return {.seed = 3, .clock = &clock_, .wall_clock = &wall_clock_}; }

  static Reply post(ProviderState& state, std::string path, const std::string& body, net::Headers headers = {}) {
    const net::RequestHead head = {.method = "POST", .target = std::move(path), .headers = std::move(headers)};
    ProviderState::Decided decided = state.decide({head, body});
    state.ended(decided.ticket, false);
    return std::move(decided.reply);
  }
  static Reply get(ProviderState& state, std::string path, net::Headers headers = {}) {
    const net::RequestHead head = {.method = "GET", .target = std::move(path), .headers = std::move(headers)};
    return state.decide({head, ""}).reply;
  }
  static Reply control(ProviderState& state, std::string method, std::string path, std::string_view body = {}) {
    const net::RequestHead head = {.method = std::move(method), .target = std::move(path)};
    return state.control({head, body});
  }
  static Reply chat(ProviderState& state, const std::string& model, bool stream = false) {
    const json body = {{"model", model}, {"stream", stream}, {"messages", {{{"role", "user"}, {"content", "hello"}}}}};
    return post(state, "/v1/chat/completions", body.dump());
  }
};

TEST_F(Provider, SameSeedAndRequestsGiveSameBodiesAndLog) {
  const auto run = [this] {
    ProviderState state(options());
    EXPECT_TRUE(state
                    .set_faults(R"({"phases":[{"requests":40,"faults":[{"kind":"status","rate":0.3},
                                     {"kind":"latency","p50":"5ms","p99":"50ms"}]}]})")
                    .has_value());
    std::string all;
    for (int i = 0; i < 60; ++i) {
      const Reply reply = chat(state, i % 3 == 0 ? "sim-flap:2" : "gpt-5", i % 2 == 0);
      all += reply.body() + std::to_string(reply.wait.count()) + reply.behaviour;
    }
    return all + state.log_json();
  };
  EXPECT_EQ(run(), run());
}

TEST_F(Provider, CountsEachNameOnItsOwn) {
  ProviderState state(options());
  EXPECT_EQ(chat(state, "sim-500-once").status, 500);
  EXPECT_EQ(chat(state, "sim-500-once#other").status, 500);
  EXPECT_EQ(chat(state, "sim-500-once").status, 200);
  state.reset();
  EXPECT_EQ(chat(state, "sim-500-once").status, 500);
}

TEST_F(Provider, BadBodiesAndUnknownModelsSpeakTheDialect) {
  ProviderState state(options());
  const Reply broken = post(state, "/v1/chat/completions", "{");
  EXPECT_EQ(broken.status, 400);
  EXPECT_EQ(json::parse(broken.body())["error"]["type"], "invalid_request_error");
  const Reply message = post(state, "/v1/messages", R"({"model":"claude"})");
  EXPECT_EQ(message.status, 400);
  EXPECT_EQ(json::parse(message.body())["type"], "error");
  const Reply unknown = chat(state, "sim-nonsense");
  EXPECT_EQ(unknown.status, 404);
  EXPECT_EQ(json::parse(unknown.body())["error"]["code"], "model_not_found");
  EXPECT_EQ(post(state, "/v1/nothing", "{}").status, 404);
}

TEST_F(Provider, AsksForTheKeyItIsGiven) {
  SimOptions with_key = options();
  with_key.require_key = "sk-sim";
  ProviderState state(with_key);
  const std::string body = R"({"model":"m","max_tokens":5,"messages":[{"role":"user","content":"x"}]})";
  EXPECT_EQ(post(state, "/v1/chat/completions", body).status, 401);
  const Reply wrong = post(state, "/v1/messages", body, {{"x-api-key", "nope"}});
  EXPECT_EQ(wrong.status, 401);
  EXPECT_EQ(json::parse(wrong.body())["error"]["type"], "authentication_error");
  EXPECT_EQ(post(state, "/v1/messages", body, {{"x-api-key", "sk-sim"}}).status, 200);
  EXPECT_EQ(post(state, "/v1/chat/completions", body, {{"authorization", "Bearer sk-sim"}}).status, 200);
  EXPECT_EQ(post(state, "/v1/chat/completions", body, {{"api-key", "sk-sim"}}).status, 200);
  EXPECT_EQ(post(state, "/mcp", R"({"jsonrpc":"2.0","id":1,"method":"ping"})").status, 401);
}

TEST_F(Provider, AScriptFailsEvenWhatTheNameAnswersButAnswersNothingThatMakesNoSense) {
  ProviderState state(options());
  ASSERT_TRUE(
      state.set_faults(R"({"phases":[{"for":"1h","match":{"model":"down"},"faults":[{"kind":"status","status":529}]},
                                   {"for":"1h"}]})"));
  EXPECT_EQ(chat(state, "down").status, 529);
  EXPECT_EQ(chat(state, "up").status, 200);
  ASSERT_TRUE(state.set_faults(R"({"phases":[{"for":"1h","faults":[{"kind":"behaviour","name":"sim-echo"}]}]})"));
  EXPECT_EQ(post(state, "/v1/chat/completions", "{").status, 400);
  EXPECT_EQ(json::parse(chat(state, "sim-503").body())["choices"][0]["message"]["content"], "hello");
}

TEST_F(Provider, AScriptReachesToolsByName) {
  ProviderState state(options());
  ASSERT_TRUE(state.set_faults(
      R"({"phases":[{"for":"1h","match":{"path":"/mcp","model":"echo"},"faults":[{"kind":"stream_cut"}]}]})"));
  const auto call = [&](const char* tool) {
    const json body = {{"jsonrpc", "2.0"}, {"id", 1}, {"method", "tools/call"}, {"params", {{"name", tool}}}};
    return post(state, "/mcp", body.dump());
  };
  EXPECT_EQ(call("echo").ending, Reply::Ending::kCut);
  EXPECT_EQ(call("crash").ending, Reply::Ending::kComplete);
  EXPECT_EQ(call("sim-503").status, 200) << "a tool's name is no model's name";
}

TEST_F(Provider, InspectShowsTheRequestAsItCame) {
  ProviderState state(options());
  const std::string body = R"({"model":"sim-inspect","max_tokens":2,"messages":[{"role":"user","content":"x"}]})";
  const Reply reply = post(state, "/v1/chat/completions?a=b", body, {{"X-Team", "red"}, {"x-team", "blue"}});
  const json seen = json::parse(json::parse(reply.body())["choices"][0]["message"]["content"].get<std::string>());
  EXPECT_EQ(seen["method"], "POST");
  EXPECT_EQ(seen["target"], "/v1/chat/completions?a=b");
  EXPECT_EQ(seen["headers"]["x-team"], "red, blue");
  EXPECT_EQ(seen["body"].get<std::string>(), body);
}

TEST_F(Provider, ListsModelsInBothDialects) {
  ProviderState state(options());
  const json openai = json::parse(get(state, "/v1/models").body());
  EXPECT_EQ(openai["object"], "list");
  EXPECT_EQ(openai["data"][0]["id"], "sim-ok");
  const json anthropic = json::parse(get(state, "/v1/models", {{"anthropic-version", "2023-06-01"}}).body());
  EXPECT_EQ(anthropic["data"][0]["type"], "model");
  EXPECT_EQ(json::parse(get(state, "/v1/models/gpt-5").body())["id"], "gpt-5");
  EXPECT_EQ(get(state, "/v1/models/sim-nonsense").status, 404);
}

TEST_F(Provider, CountsTokensAndEmbeds) {
  ProviderState state(options());
  const Reply count =
      post(state, "/v1/messages/count_tokens", R"({"model":"m","messages":[{"role":"user","content":"x"}]})");
  EXPECT_GT(json::parse(count.body())["input_tokens"], 0);
  EXPECT_EQ(post(state, "/v1/embeddings", R"({"model":"m","input":"x"})").status, 200);
  EXPECT_EQ(post(state, "/v1/embeddings", R"({"model":"sim-503","input":"x"})").status, 503);
}

TEST_F(Provider, AResponseGoesOnFromOneThatItKnows) {
  ProviderState state(options());
  const auto ask = [&](json body) {
    body["model"] = body.value("model", "gpt-5");
    return post(state, "/v1/responses", body.dump());
  };
  const json first = json::parse(ask({{"input", "hello"}}).body());
  const json second = json::parse(ask({{"input", "and?"}, {"previous_response_id", first["id"]}}).body());
  EXPECT_EQ(second["previous_response_id"], first["id"]);
  EXPECT_GT(second["usage"]["input_tokens"], first["usage"]["input_tokens"]);
  EXPECT_NE(second["output"][0]["content"], json::parse(ask({{"input", "and?"}}).body())["output"][0]["content"])
      << "what was said before counts";
  const json unstored = json::parse(ask({{"input", "hello"}, {"store", false}}).body());
  const json broken = json::parse(
      events_of(ask({{"input", "x"}, {"model", "sim-stream-eof"}, {"stream", true}}).body()).front().data)["response"];
  for (const json& id : {json("resp_unknown"), unstored["id"], broken["id"]}) {
    const Reply refused = ask({{"input", "x"}, {"previous_response_id", id}});
    EXPECT_EQ(refused.status, 400);
    const json error = json::parse(refused.body())["error"];
    EXPECT_EQ(error["code"], "previous_response_not_found");
    EXPECT_EQ(error["param"], "previous_response_id");
    EXPECT_EQ(error["message"], "Previous response with id '" + id.get<std::string>() + "' not found.");
  }
  state.reset();
  EXPECT_EQ(ask({{"input", "x"}, {"previous_response_id", first["id"]}}).status, 400);
}

TEST_F(Provider, ALimitedModelTellsItsLimitAndKeepsIt) {
  ProviderState state(options());
  const auto header = [](const Reply& reply, std::string_view wanted) {
    for (const auto& [name, value] : reply.headers) {
      if (name == wanted) return value;
    }
    return std::string();
  };
  const Reply first = chat(state, "sim-limited:2");
  EXPECT_EQ(header(first, "x-ratelimit-remaining-requests"), "1");
  EXPECT_EQ(header(chat(state, "sim-ok"), "x-ratelimit-remaining-requests"), "");
  clock_.advance(15s);
  EXPECT_EQ(chat(state, "sim-limited:2", true).status, 200);
  const Reply refused = chat(state, "sim-limited:2");
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(header(refused, "retry-after"), "45");
  EXPECT_EQ(header(refused, "x-ratelimit-reset-requests"), "45s");
  EXPECT_THAT(json::parse(refused.body())["error"]["message"].get<std::string>(), HasSubstr("Limit 2, Used 2"));
  EXPECT_EQ(chat(state, "sim-limited:2#other").status, 200);
  const Reply message = post(state, "/v1/messages",
                             R"({"model":"sim-limited:2","max_tokens":9,"messages":[{"role":"user","content":"x"}]})");
  EXPECT_EQ(message.status, 429);
  EXPECT_EQ(header(message, "anthropic-ratelimit-requests-remaining"), "0");
  EXPECT_EQ(header(message, "anthropic-ratelimit-requests-reset"), "2026-01-01T00:00:45Z");
  clock_.advance(45s);
  EXPECT_EQ(chat(state, "sim-limited:2").status, 200);
}

TEST_F(Provider, AFailureOfALimitedModelStaysTheFailureItIs) {
  ProviderState state(options());
  EXPECT_EQ(chat(state, "sim-limited:0+sim-503").status, 503);
  EXPECT_EQ(chat(state, "sim-limited:0").status, 429);
}

TEST_F(Provider, McpKnowsOtherMethods) {
  ProviderState state(options());
  const Reply stream = get(state, "/mcp");
  EXPECT_EQ(stream.status, 405);
  EXPECT_THAT(stream.headers, ::testing::Contains(::testing::Pair("allow", "POST, DELETE")));
  const net::RequestHead end = {.method = "DELETE", .target = "/mcp"};
  EXPECT_EQ(state.decide({end, ""}).reply.status, 404);
}

TEST_F(Provider, TheLogTellsWhatCameAndWhatItGot) {
  ProviderState state(options());
  chat(state, "gpt-5", true);
  clock_.advance(1500ms);
  chat(state, "sim-503");
  const net::RequestHead head = {.method = "POST", .target = "/v1/chat/completions"};
  const auto silent = state.decide({head, R"({"model":"sim-silent","messages":[{"role":"user"}]})"});
  state.ended(silent.ticket, true);
  const json log = json::parse(control(state, "GET", "/sim/log").body());
  EXPECT_EQ(log["received"], 3);
  EXPECT_EQ(log["dropped"], 0);
  const json& first = log["requests"][0];
  EXPECT_EQ(first["ordinal"], 1);
  EXPECT_EQ(first["model"], "gpt-5");
  EXPECT_EQ(first["stream"], true);
  EXPECT_EQ(first["status"], 200);
  EXPECT_EQ(first["behaviour"], "sim-ok");
  EXPECT_EQ(first["ended"], true);
  EXPECT_EQ(log["requests"][1]["t_ms"], 1500);
  EXPECT_EQ(log["requests"][1]["status"], 503);
  EXPECT_TRUE(log["requests"][2]["status"].is_null());
  EXPECT_EQ(log["requests"][2]["client_left"], true);
  EXPECT_EQ(log["totals"]["sim-503"]["status"]["503"], 1);
  EXPECT_EQ(log["totals"]["sim-silent"]["client_left"], 1);
}

TEST_F(Provider, ResetForgetsAndStartsTheScriptAgain) {
  ProviderState state(options());
  ASSERT_TRUE(state.set_faults(R"({"phases":[{"requests":1,"faults":[{"kind":"status"}]}]})"));
  EXPECT_EQ(chat(state, "m").status, 503);
  EXPECT_EQ(chat(state, "m").status, 200);
  const net::RequestHead head = {.method = "POST", .target = "/v1/chat/completions"};
  const auto running = state.decide({head, "{}"});
  EXPECT_EQ(control(state, "POST", "/sim/reset").status, 200);
  state.ended(running.ticket, true);
  EXPECT_EQ(json::parse(state.log_json())["requests"].size(), 0U);
  EXPECT_EQ(chat(state, "m").status, 503);
  EXPECT_EQ(json::parse(state.log_json())["requests"][0]["client_left"], false)
      << "an old request's end is not its own";
}

TEST_F(Provider, FaultsAreReplacedOrRefusedWithEveryProblem) {
  ProviderState state(options());
  EXPECT_EQ(control(state, "POST", "/sim/faults", R"({"phases":[{"for":"1h","faults":[{"kind":"status"}]}]})").status,
            200);
  EXPECT_EQ(chat(state, "m").status, 503);
  const Reply bad = control(state, "POST", "/sim/faults", R"({"phases":[{"for":"x"},{"requests":0}]})");
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(json::parse(bad.body())["error"]["problems"][1]["field"], "phases[1].requests");
  EXPECT_EQ(chat(state, "m").status, 503) << "a bad script changes nothing";
  EXPECT_EQ(control(state, "POST", "/sim/faults", "{}").status, 200);
  EXPECT_EQ(chat(state, "m").status, 200);
  EXPECT_EQ(control(state, "GET", "/sim/models").status, 200);
  EXPECT_EQ(control(state, "GET", "/sim/nothing").status, 404);
}

TEST_F(Provider, EveryAnswerHasARequestIdOfItsOwn) {
  ProviderState state(options());
  const auto id = [](const Reply& reply) {
    for (const auto& [name, value] : reply.headers) {
      if (name == "x-request-id") return value;
    }
    return std::string();
  };
  EXPECT_THAT(id(chat(state, "m")), ::testing::StartsWith("req_"));
  EXPECT_NE(id(chat(state, "m")), id(chat(state, "m")));
}

TEST(RequestLog, KeepsTheLastTenThousandAndCountsTheRest) {
  RequestLog log(TimePoint{});
  RequestLog::Ticket first = log.arrived(TimePoint{}, {.model = "m"});
  for (std::size_t i = 0; i < RequestLog::kMaxEntries; ++i) log.arrived(TimePoint{}, {.model = "m"});
  log.ended(first, true);
  const json read = json::parse(log.json());
  EXPECT_EQ(read["received"], RequestLog::kMaxEntries + 1);
  EXPECT_EQ(read["dropped"], 1);
  EXPECT_EQ(read["requests"].size(), RequestLog::kMaxEntries);
  EXPECT_EQ(read["requests"][0]["ordinal"], 2);
  EXPECT_EQ(read["totals"]["m"]["requests"], RequestLog::kMaxEntries + 1);
}

TEST(RequestLog, CountsModelsBeyondTheBoundTogether) {
  RequestLog log(TimePoint{});
  for (std::size_t i = 0; i < RequestLog::kMaxModels + 5; ++i)
    log.arrived(TimePoint{}, {.model = "m" + std::to_string(i)});
  const json read = json::parse(log.json());
  EXPECT_EQ(read["totals"].size(), RequestLog::kMaxModels + 1);
  EXPECT_EQ(read["totals"][std::string(RequestLog::kOthers)]["requests"], 5);
}

TEST(RequestLog, CutsLongNamesAndSurvivesBytesThatAreNoText) {
  RequestLog log(TimePoint{});
  log.arrived(TimePoint{}, {.path = "/v1/\xff\xfe", .model = std::string(5000, 'x')});
  const json read = json::parse(log.json());
  EXPECT_EQ(read["requests"][0]["model"].get<std::string>().size(), 200U);
}

TEST(SimOptions, AreValidated) {
  SimOptions options;
  EXPECT_TRUE(options.validate().empty());
  options.token_gap = -1ms;
  options.max_answer_tokens = 0;
  options.clock = nullptr;
  EXPECT_EQ(options.validate().size(), 3U);
}

}  // namespace
}  // namespace fuseboard::sim
