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
    {1, false, Means(cancelled), "gRPC status codes: CANCELLED"},
    {2, true, Means(service_unavailable), "gRPC status codes: UNKNOWN"},
    {3, true, Means(invalid_request), "gRPC status codes: INVALID_ARGUMENT"},
    {4, false, Means(timeout), "gRPC status codes: DEADLINE_EXCEEDED"},
    {5, true, Means(resource_not_found), "gRPC status codes: NOT_FOUND"},
    {6, false, Means(invalid_request), "gRPC status codes: ALREADY_EXISTS"},
    {7, false, Means(permission_denied), "gRPC status codes: PERMISSION_DENIED"},
    {8, true, Means(rate_limit), "gRPC status codes: RESOURCE_EXHAUSTED"},
    {9, false, Means(invalid_request), "gRPC status codes: FAILED_PRECONDITION"},
    {10, false, Means(service_unavailable), "gRPC status codes: ABORTED"},
    {11, false, Means(invalid_request), "gRPC status codes: OUT_OF_RANGE"},
    {12, false, Means(invalid_request, capability_mismatch), "gRPC status codes: UNIMPLEMENTED"},
    {13, false, Means(service_unavailable), "gRPC status codes: INTERNAL"},
    {14, false, Means(service_unavailable), "gRPC status codes: UNAVAILABLE"},
    {15, false, Means(service_unavailable), "gRPC status codes: DATA_LOSS"},
    {16, false, Means(authentication), "gRPC status codes: UNAUTHENTICATED"},
};

constexpr NumberRow kJsonRpc[] = {
    {-32700, false, Means(invalid_request), "JSON-RPC 2.0, 5.1: the server could not parse the request"},
    {-32600, true, Means(invalid_request), "JSON-RPC 2.0, 5.1: invalid request"},
    {-32601, false, Means(tool_not_found), "JSON-RPC 2.0, 5.1: method not found"},
    {-32602, true, Means(invalid_request), "JSON-RPC 2.0, 5.1: invalid params"},
    {-32603, true, Means(execution_error, callee_broke), "JSON-RPC 2.0, 5.1: internal error"},
    {-32001, true, Means(timeout), "MCP SDKs: RequestTimeout"},
    {-32002, false, Means(resource_not_found), "MCP specification: resource not found"},
    {-32020, false, Means(invalid_request), "MCP 2026-07-28: header mismatch"},
    {-32021, false, Means(invalid_request), "MCP 2026-07-28: missing client capability"},
    {-32022, false, Means(invalid_request), "MCP 2026-07-28: unsupported protocol version"},
    {-32042, false, Means(invalid_request), "MCP 2025-11-25: more is needed from the client"},
    {-32800, false, Means(cancelled), "LSP: request cancelled"},
};

// sysexits.h, shells and timeout(1). Signals come from 128 + n.
constexpr NumberRow kExits[] = {
    {1, true, Means(execution_error), "by convention: any failure"},
    {2, true, Means(execution_error), "by convention: any failure, or wrong usage"},
    {64, false, Means(invalid_request), "sysexits.h: EX_USAGE"},
    {65, false, Means(invalid_request), "sysexits.h: EX_DATAERR"},
    {66, false, Means(resource_not_found), "sysexits.h: EX_NOINPUT"},
    {67, false, Means(resource_not_found), "sysexits.h: EX_NOUSER"},
    {68, false, Means(network), "sysexits.h: EX_NOHOST"},
    {69, false, Means(service_unavailable), "sysexits.h: EX_UNAVAILABLE"},
    {70, true, Means(execution_error), "sysexits.h: EX_SOFTWARE"},
    {71, true, Means(resource_exhausted), "sysexits.h: EX_OSERR, such as cannot fork"},
    {72, false, Means(resource_not_found), "sysexits.h: EX_OSFILE"},
    {73, false, Means(permission_denied), "sysexits.h: EX_CANTCREAT"},
    {74, true, Means(execution_error), "sysexits.h: EX_IOERR"},
    {75, false, Means(service_unavailable), "sysexits.h: EX_TEMPFAIL"},
    {76, false, Means(network), "sysexits.h: EX_PROTOCOL"},
    {77, false, Means(permission_denied), "sysexits.h: EX_NOPERM"},
    {78, false, Means(invalid_request), "sysexits.h: EX_CONFIG"},
    {124, false, Means(timeout), "timeout(1)"},
    {125, true, Means(execution_error), "docker run, timeout(1): their own failure"},
    {126, true, Means(execution_error), "POSIX shell, 2.8.2: not executable"},
    {127, false, Means(tool_not_found), "POSIX shell, 2.8.2: command not found"},
};

// MiniMax answers 200 with base_resp.status_code.
constexpr NumberRow kMiniMax[] = {
    {1000, false, Means(service_unavailable), "MiniMax error codes: unknown"},
    {1001, false, Means(timeout), "MiniMax error codes: timeout"},
    {1002, false, Means(rate_limit), "MiniMax error codes: rate limit"},
    {1004, false, Means(authentication), "MiniMax error codes: not authorized"},
    {1008, false, Means(quota_exhausted), "MiniMax error codes: insufficient balance"},
    {1013, false, Means(service_unavailable), "MiniMax error codes: internal"},
    {1024, false, Means(service_unavailable), "MiniMax error codes: internal"},
    {1026, false, Means(content_policy), "MiniMax error codes: sensitive input"},
    {1027, false, Means(content_policy), "MiniMax error codes: sensitive output"},
    {1033, false, Means(service_unavailable), "MiniMax error codes: downstream"},
    {1039, false, Means(rate_limit), "MiniMax error codes: tokens per minute"},
    {1041, false, Means(rate_limit), "MiniMax error codes: connections"},
    {2013, false, Means(invalid_request), "MiniMax error codes: parameters"},
    {2049, false, Means(authentication), "MiniMax error codes: invalid key"},
    {2061, false, Means(permission_denied), "MiniMax error codes: model not in the plan"},
    {2056, false, Means(quota_exhausted), "MiniMax error codes: plan used up"},
};

// Baidu Qianfan answers 200 with error_code and error_msg.
constexpr NumberRow kBaidu[] = {
    {1, true, Means(service_unavailable), "Baidu Qianfan error codes: unknown"},
    {2, true, Means(service_unavailable), "Baidu Qianfan error codes: service temporarily unavailable"},
    {3, true, Means(resource_not_found), "Baidu Qianfan error codes: unsupported method"},
    {4, false, Means(rate_limit), "Baidu Qianfan error codes: requests of the cluster"},
    {6, false, Means(permission_denied), "Baidu Qianfan error codes: no permission"},
    {13, false, Means(authentication), "Baidu Qianfan error codes: no service token"},
    {14, false, Means(authentication), "Baidu Qianfan error codes: IAM certification"},
    {15, false, Means(authentication), "Baidu Qianfan error codes: no such application"},
    {17, false, Means(quota_exhausted), "Baidu Qianfan error codes: requests of the day"},
    {18, false, Means(rate_limit), "Baidu Qianfan error codes: requests per second"},
    {19, false, Means(quota_exhausted), "Baidu Qianfan error codes: requests in all"},
    {100, true, Means(authentication), "Baidu Qianfan error codes: access token parameter"},
    {110, false, Means(authentication), "Baidu Qianfan error codes: token invalid"},
    {111, false, Means(authentication), "Baidu Qianfan error codes: token expired"},
    {336000, true, Means(service_unavailable), "Baidu Qianfan error codes: internal"},
    {336001, true, Means(invalid_request), "Baidu Qianfan error codes: argument"},
    {336002, true, Means(invalid_request), "Baidu Qianfan error codes: JSON"},
    {336003, true, Means(invalid_request), "Baidu Qianfan error codes: parameter"},
    {336004, true, Means(permission_denied), "Baidu Qianfan error codes: permission"},
    {336005, true, Means(model_not_found), "Baidu Qianfan error codes: name of the API"},
    {336006, true, Means(invalid_request), "Baidu Qianfan error codes: message"},
    {336007, true, Means(context_length_exceeded), "Baidu Qianfan error codes: message too long"},
    {336100, false, Means(overloaded), "Baidu Qianfan error codes: try again"},
    {336103, true, Means(context_length_exceeded), "Baidu Qianfan error codes: prompt too long"},
    {336104, true, Means(invalid_request), "Baidu Qianfan error codes: model settings"},
    {336105, true, Means(invalid_request), "Baidu Qianfan error codes: message"},
    {336200, true, Means(service_unavailable), "Baidu Qianfan error codes: internal"},
    {336303, true, Means(invalid_request), "Baidu Qianfan error codes: parameter"},
    {336500, true, Means(service_unavailable), "Baidu Qianfan error codes: service"},
    {336501, false, Means(rate_limit), "Baidu Qianfan error codes: requests per minute"},
    {336502, false, Means(rate_limit), "Baidu Qianfan error codes: tokens per minute"},
};

// NSURLError.h: "Error Domain=NSURLErrorDomain Code=-1001"
constexpr NumberRow kApple[] = {
    {-999, false, Means(cancelled), "NSURLErrorCancelled"},
    {-1000, false, Means(invalid_request), "NSURLErrorBadURL"},
    {-1001, false, Means(timeout), "NSURLErrorTimedOut"},
    {-1002, false, Means(invalid_request), "NSURLErrorUnsupportedURL"},
    {-1011, false, Means(service_unavailable), "NSURLErrorBadServerResponse"},
    {-1012, false, Means(authentication), "NSURLErrorUserCancelledAuthentication"},
    {-1013, false, Means(authentication), "NSURLErrorUserAuthenticationRequired"},
    {-1100, false, Means(resource_not_found), "NSURLErrorFileDoesNotExist"},
    {-1102, false, Means(permission_denied), "NSURLErrorNoPermissionsToReadFile"},
    {-1201, false, Means(network, untrusted_certificate), "NSURLErrorServerCertificateHasBadDate"},
    {-1202, false, Means(network, untrusted_certificate), "NSURLErrorServerCertificateUntrusted"},
    {-1203, false, Means(network, untrusted_certificate), "NSURLErrorServerCertificateHasUnknownRoot"},
    {-1204, false, Means(network, untrusted_certificate), "NSURLErrorServerCertificateNotYetValid"},
};

// signal(7), numbers of x86 and ARM.
constexpr SignalRow kSignals[] = {
    {1, "SIGHUP", Means(cancelled), "signal(7)"},
    {2, "SIGINT", Means(cancelled), "signal(7)"},
    {3, "SIGQUIT", Means(cancelled), "signal(7)"},
    {4, "SIGILL", Means(execution_error, callee_broke), "signal(7)"},
    {5, "SIGTRAP", Means(execution_error, callee_broke), "signal(7)"},
    {6, "SIGABRT", Means(execution_error, callee_broke), "signal(7)"},
    {7, "SIGBUS", Means(execution_error, callee_broke), "signal(7)"},
    {8, "SIGFPE", Means(execution_error, callee_broke), "signal(7)"},
    {9, "SIGKILL", Means(execution_error), "signal(7): who sent it is not known"},
    {11, "SIGSEGV", Means(execution_error, callee_broke), "signal(7)"},
    {13, "SIGPIPE", Means(cancelled), "signal(7): nobody reads any more"},
    {14, "SIGALRM", Means(timeout), "signal(7)"},
    {15, "SIGTERM", Means(cancelled), "signal(7)"},
    {24, "SIGXCPU", Means(resource_exhausted), "signal(7)"},
    {25, "SIGXFSZ", Means(resource_exhausted), "signal(7)"},
    {31, "SIGSYS", Means(PolicyDetail::sandbox), "signal(7): seccomp"},
};

constexpr FinishRow kFinishes[] = {
    {"content_filter", Means(content_policy), "OpenAI, Azure finish reasons"},
    {"content_filtered", Means(content_policy), "Bedrock Converse stop reasons"},
    {"safety", Means(content_policy), "Gemini finish reasons"},
    {"recitation", Means(content_policy), "Gemini finish reasons"},
    {"blocklist", Means(content_policy), "Gemini finish reasons"},
    {"prohibited_content", Means(content_policy), "Gemini finish reasons"},
    {"spii", Means(content_policy), "Gemini finish reasons"},
    {"image_safety", Means(content_policy), "Gemini finish reasons"},
    {"image_prohibited_content", Means(content_policy), "Gemini finish reasons"},
    {"image_recitation", Means(content_policy), "Gemini finish reasons"},
    {"model_armor", Means(content_policy), "Vertex AI finish reasons"},
    {"error_toxic", Means(content_policy), "Cohere finish reasons"},
    {"toxic", Means(content_policy), "Cohere finish reasons"},
    {"refusal", Means(content_policy), "Anthropic stop reasons: streaming classifiers intervened"},
    {"sensitive", Means(content_policy), "Zhipu finish reasons"},
    {"guardrail_intervened", Means(PolicyDetail::guardrail), "Bedrock Converse stop reasons"},
    {"malformed_function_call", Means(execution_error, bad_model_output), "Gemini finish reasons"},
    {"unexpected_tool_call", Means(execution_error, bad_model_output), "Gemini finish reasons"},
    {"too_many_tool_calls", Means(execution_error, bad_model_output), "Gemini finish reasons"},
    {"malformed_response", Means(execution_error, bad_model_output), "Gemini finish reasons"},
    {"missing_thought_signature", Means(invalid_request), "Gemini finish reasons"},
    {"malformed_model_output", Means(execution_error, bad_model_output), "Bedrock Converse stop reasons"},
    {"malformed_tool_use", Means(execution_error, bad_model_output), "Bedrock Converse stop reasons"},
    {"error", Means(service_unavailable), "OpenRouter, Cohere finish reasons"},
    {"network_error", Means(service_unavailable), "Zhipu finish reasons"},
    {"error_limit", Means(context_length_exceeded), "Cohere finish reasons"},
    {"insufficient_system_resource", Means(overloaded), "DeepSeek finish reasons"},
    {"timeout", Means(timeout), "Cohere finish reasons"},
    {"user_cancel", Means(cancelled), "Cohere finish reasons"},
    {"abort", Means(cancelled), "vLLM, SGLang finish reasons"},
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
