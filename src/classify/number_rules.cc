// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

#include "classify/fold.h"
#include "classify/rules.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;
using enum Modifier;

// https://grpc.io/docs/guides/status-codes/
constexpr NumberRow kGrpc[] = {
    {1, false, cancelled, "gRPC status codes: CANCELLED"},
    {2, true, service_unavailable, "gRPC status codes: UNKNOWN"},
    {3, true, invalid_request, "gRPC status codes: INVALID_ARGUMENT"},
    {4, false, timeout, "gRPC status codes: DEADLINE_EXCEEDED"},
    {5, true, resource_not_found, "gRPC status codes: NOT_FOUND"},
    {6, false, invalid_request, "gRPC status codes: ALREADY_EXISTS"},
    {7, false, permission_denied, "gRPC status codes: PERMISSION_DENIED"},
    {8, true, rate_limit, "gRPC status codes: RESOURCE_EXHAUSTED"},
    {9, false, invalid_request, "gRPC status codes: FAILED_PRECONDITION"},
    {10, false, service_unavailable, "gRPC status codes: ABORTED"},
    {11, false, invalid_request, "gRPC status codes: OUT_OF_RANGE"},
    {12, false, {invalid_request, capability_mismatch}, "gRPC status codes: UNIMPLEMENTED"},
    {13, false, service_unavailable, "gRPC status codes: INTERNAL"},
    {14, false, service_unavailable, "gRPC status codes: UNAVAILABLE"},
    {15, false, service_unavailable, "gRPC status codes: DATA_LOSS"},
    {16, false, authentication, "gRPC status codes: UNAUTHENTICATED"},
};

constexpr NumberRow kJsonRpc[] = {
    {-32700, false, invalid_request, "JSON-RPC 2.0, 5.1: the server could not parse the request"},
    {-32600, true, invalid_request, "JSON-RPC 2.0, 5.1: invalid request"},
    {-32601, false, tool_not_found, "JSON-RPC 2.0, 5.1: method not found"},
    {-32602, true, invalid_request, "JSON-RPC 2.0, 5.1: invalid params"},
    {-32603, true, {execution_error, callee_broke}, "JSON-RPC 2.0, 5.1: internal error"},
    {-32001, true, timeout, "MCP SDKs: RequestTimeout"},
    {-32002, false, resource_not_found, "MCP specification: resource not found"},
    {-32020, false, invalid_request, "MCP 2026-07-28: header mismatch"},
    {-32021, false, invalid_request, "MCP 2026-07-28: missing client capability"},
    {-32022, false, invalid_request, "MCP 2026-07-28: unsupported protocol version"},
    {-32042, false, invalid_request, "MCP 2025-11-25: more is needed from the client"},
    {-32800, false, cancelled, "LSP: request cancelled"},
};

// sysexits.h, shells and timeout(1). Signals come from 128 + n.
constexpr NumberRow kExits[] = {
    {1, true, execution_error, "by convention: any failure"},
    {2, true, execution_error, "by convention: any failure, or wrong usage"},
    {64, false, invalid_request, "sysexits.h: EX_USAGE"},
    {65, false, invalid_request, "sysexits.h: EX_DATAERR"},
    {66, false, resource_not_found, "sysexits.h: EX_NOINPUT"},
    {67, false, resource_not_found, "sysexits.h: EX_NOUSER"},
    {68, false, network, "sysexits.h: EX_NOHOST"},
    {69, false, service_unavailable, "sysexits.h: EX_UNAVAILABLE"},
    {70, true, execution_error, "sysexits.h: EX_SOFTWARE"},
    {71, true, resource_exhausted, "sysexits.h: EX_OSERR, such as cannot fork"},
    {72, false, resource_not_found, "sysexits.h: EX_OSFILE"},
    {73, false, permission_denied, "sysexits.h: EX_CANTCREAT"},
    {74, true, execution_error, "sysexits.h: EX_IOERR"},
    {75, false, service_unavailable, "sysexits.h: EX_TEMPFAIL"},
    {76, false, network, "sysexits.h: EX_PROTOCOL"},
    {77, false, permission_denied, "sysexits.h: EX_NOPERM"},
    {78, false, invalid_request, "sysexits.h: EX_CONFIG"},
    {124, false, timeout, "timeout(1)"},
    {125, true, execution_error, "docker run, timeout(1): their own failure"},
    {126, true, execution_error, "POSIX shell, 2.8.2: not executable"},
    {127, false, tool_not_found, "POSIX shell, 2.8.2: command not found"},
};

// MiniMax answers 200 with base_resp.status_code.
constexpr NumberRow kMiniMax[] = {
    {1000, false, service_unavailable, "MiniMax error codes: unknown"},
    {1001, false, timeout, "MiniMax error codes: timeout"},
    {1002, false, rate_limit, "MiniMax error codes: rate limit"},
    {1004, false, authentication, "MiniMax error codes: not authorized"},
    {1008, false, quota_exhausted, "MiniMax error codes: insufficient balance"},
    {1013, false, service_unavailable, "MiniMax error codes: internal"},
    {1024, false, service_unavailable, "MiniMax error codes: internal"},
    {1026, false, content_policy, "MiniMax error codes: sensitive input"},
    {1027, false, content_policy, "MiniMax error codes: sensitive output"},
    {1033, false, service_unavailable, "MiniMax error codes: downstream"},
    {1039, false, rate_limit, "MiniMax error codes: tokens per minute"},
    {1041, false, rate_limit, "MiniMax error codes: connections"},
    {2013, false, invalid_request, "MiniMax error codes: parameters"},
    {2049, false, authentication, "MiniMax error codes: invalid key"},
    {2061, false, permission_denied, "MiniMax error codes: model not in the plan"},
    {2056, false, quota_exhausted, "MiniMax error codes: plan used up"},
};

// Baidu Qianfan answers 200 with error_code and error_msg.
constexpr NumberRow kBaidu[] = {
    {1, true, service_unavailable, "Baidu Qianfan error codes: unknown"},
    {2, true, service_unavailable, "Baidu Qianfan error codes: service temporarily unavailable"},
    {3, true, resource_not_found, "Baidu Qianfan error codes: unsupported method"},
    {4, false, rate_limit, "Baidu Qianfan error codes: requests of the cluster"},
    {6, false, permission_denied, "Baidu Qianfan error codes: no permission"},
    {13, false, authentication, "Baidu Qianfan error codes: no service token"},
    {14, false, authentication, "Baidu Qianfan error codes: IAM certification"},
    {15, false, authentication, "Baidu Qianfan error codes: no such application"},
    {17, false, quota_exhausted, "Baidu Qianfan error codes: requests of the day"},
    {18, false, rate_limit, "Baidu Qianfan error codes: requests per second"},
    {19, false, quota_exhausted, "Baidu Qianfan error codes: requests in all"},
    {100, true, authentication, "Baidu Qianfan error codes: access token parameter"},
    {110, false, authentication, "Baidu Qianfan error codes: token invalid"},
    {111, false, authentication, "Baidu Qianfan error codes: token expired"},
    {336000, true, service_unavailable, "Baidu Qianfan error codes: internal"},
    {336001, true, invalid_request, "Baidu Qianfan error codes: argument"},
    {336002, true, invalid_request, "Baidu Qianfan error codes: JSON"},
    {336003, true, invalid_request, "Baidu Qianfan error codes: parameter"},
    {336004, true, permission_denied, "Baidu Qianfan error codes: permission"},
    {336005, true, model_not_found, "Baidu Qianfan error codes: name of the API"},
    {336006, true, invalid_request, "Baidu Qianfan error codes: message"},
    {336007, true, context_length_exceeded, "Baidu Qianfan error codes: message too long"},
    {336100, false, overloaded, "Baidu Qianfan error codes: try again"},
    {336103, true, context_length_exceeded, "Baidu Qianfan error codes: prompt too long"},
    {336104, true, invalid_request, "Baidu Qianfan error codes: model settings"},
    {336105, true, invalid_request, "Baidu Qianfan error codes: message"},
    {336200, true, service_unavailable, "Baidu Qianfan error codes: internal"},
    {336303, true, invalid_request, "Baidu Qianfan error codes: parameter"},
    {336500, true, service_unavailable, "Baidu Qianfan error codes: service"},
    {336501, false, rate_limit, "Baidu Qianfan error codes: requests per minute"},
    {336502, false, rate_limit, "Baidu Qianfan error codes: tokens per minute"},
};

// NSURLError.h: "Error Domain=NSURLErrorDomain Code=-1001"
constexpr NumberRow kApple[] = {
    {-999, false, cancelled, "NSURLErrorCancelled"},
    {-1000, false, invalid_request, "NSURLErrorBadURL"},
    {-1001, false, timeout, "NSURLErrorTimedOut"},
    {-1002, false, invalid_request, "NSURLErrorUnsupportedURL"},
    {-1011, false, service_unavailable, "NSURLErrorBadServerResponse"},
    {-1012, false, authentication, "NSURLErrorUserCancelledAuthentication"},
    {-1013, false, authentication, "NSURLErrorUserAuthenticationRequired"},
    {-1100, false, resource_not_found, "NSURLErrorFileDoesNotExist"},
    {-1102, false, permission_denied, "NSURLErrorNoPermissionsToReadFile"},
    {-1201, false, {network, untrusted_certificate}, "NSURLErrorServerCertificateHasBadDate"},
    {-1202, false, {network, untrusted_certificate}, "NSURLErrorServerCertificateUntrusted"},
    {-1203, false, {network, untrusted_certificate}, "NSURLErrorServerCertificateHasUnknownRoot"},
    {-1204, false, {network, untrusted_certificate}, "NSURLErrorServerCertificateNotYetValid"},
};

// signal(7), numbers of x86 and ARM.
constexpr SignalRow kSignals[] = {
    {1, "SIGHUP", cancelled, "signal(7)"},
    {2, "SIGINT", cancelled, "signal(7)"},
    {3, "SIGQUIT", cancelled, "signal(7)"},
    {4, "SIGILL", {execution_error, callee_broke}, "signal(7)"},
    {5, "SIGTRAP", {execution_error, callee_broke}, "signal(7)"},
    {6, "SIGABRT", {execution_error, callee_broke}, "signal(7)"},
    {7, "SIGBUS", {execution_error, callee_broke}, "signal(7)"},
    {8, "SIGFPE", {execution_error, callee_broke}, "signal(7)"},
    {9, "SIGKILL", execution_error, "signal(7): who sent it is not known"},
    {11, "SIGSEGV", {execution_error, callee_broke}, "signal(7)"},
    {13, "SIGPIPE", cancelled, "signal(7): nobody reads any more"},
    {14, "SIGALRM", timeout, "signal(7)"},
    {15, "SIGTERM", cancelled, "signal(7)"},
    {24, "SIGXCPU", resource_exhausted, "signal(7)"},
    {25, "SIGXFSZ", resource_exhausted, "signal(7)"},
    {31, "SIGSYS", PolicyDetail::sandbox, "signal(7): seccomp"},
};

constexpr FinishRow kFinishes[] = {
    {"content_filter", content_policy, "OpenAI, Azure finish reasons"},
    {"content_filtered", content_policy, "Bedrock Converse stop reasons"},
    {"safety", content_policy, "Gemini finish reasons"},
    {"recitation", content_policy, "Gemini finish reasons"},
    {"blocklist", content_policy, "Gemini finish reasons"},
    {"prohibited_content", content_policy, "Gemini finish reasons"},
    {"spii", content_policy, "Gemini finish reasons"},
    {"image_safety", content_policy, "Gemini finish reasons"},
    {"image_prohibited_content", content_policy, "Gemini finish reasons"},
    {"image_recitation", content_policy, "Gemini finish reasons"},
    {"model_armor", content_policy, "Vertex AI finish reasons"},
    {"error_toxic", content_policy, "Cohere finish reasons"},
    {"toxic", content_policy, "Cohere finish reasons"},
    {"refusal", content_policy, "Anthropic stop reasons: streaming classifiers intervened"},
    {"sensitive", content_policy, "Zhipu finish reasons"},
    {"guardrail_intervened", PolicyDetail::guardrail, "Bedrock Converse stop reasons"},
    {"malformed_function_call", {execution_error, bad_model_output}, "Gemini finish reasons"},
    {"unexpected_tool_call", {execution_error, bad_model_output}, "Gemini finish reasons"},
    {"too_many_tool_calls", {execution_error, bad_model_output}, "Gemini finish reasons"},
    {"malformed_response", {execution_error, bad_model_output}, "Gemini finish reasons"},
    {"missing_thought_signature", invalid_request, "Gemini finish reasons"},
    {"malformed_model_output", {execution_error, bad_model_output}, "Bedrock Converse stop reasons"},
    {"malformed_tool_use", {execution_error, bad_model_output}, "Bedrock Converse stop reasons"},
    {"error", service_unavailable, "OpenRouter, Cohere finish reasons"},
    {"network_error", service_unavailable, "Zhipu finish reasons"},
    {"error_limit", context_length_exceeded, "Cohere finish reasons"},
    {"insufficient_system_resource", overloaded, "DeepSeek finish reasons"},
    {"timeout", timeout, "Cohere finish reasons"},
    {"user_cancel", cancelled, "Cohere finish reasons"},
    {"abort", cancelled, "vLLM, SGLang finish reasons"},
};

template <std::size_t N>
const NumberRow* find(const NumberRow (&rows)[N], int number) noexcept {
  for (const NumberRow& row : rows) {
    if (row.number == number) return &row;
  }
  return nullptr;
}

}  // namespace

const NumberRow* grpc_row(int status) noexcept { return find(kGrpc, status); }
const NumberRow* json_rpc_row(int code) noexcept { return find(kJsonRpc, code); }
const NumberRow* exit_row(int code) noexcept { return find(kExits, code); }
const NumberRow* minimax_row(int code) noexcept { return find(kMiniMax, code); }
const NumberRow* baidu_row(int code) noexcept { return find(kBaidu, code); }
const NumberRow* apple_row(int code) noexcept { return find(kApple, code); }

const SignalRow* signal_row(std::string_view name) noexcept {
  for (const SignalRow& row : kSignals) {
    if (equal_folded(row.name, name) || equal_folded(row.name.substr(3), name)) return &row;
  }
  return nullptr;
}

const SignalRow* signal_row(int number) noexcept {
  for (const SignalRow& row : kSignals) {
    if (row.number == number) return &row;
  }
  return nullptr;
}

const FinishRow* finish_row(std::string_view reason) noexcept {
  if (reason.empty() || reason.size() > 40) return nullptr;
  const std::uint64_t hash = hash_name(reason);
  for (const FinishRow& row : kFinishes) {
    if (hash_name(row.reason) == hash) return &row;
  }
  return nullptr;
}

}  // namespace fuseboard::classify_internal
