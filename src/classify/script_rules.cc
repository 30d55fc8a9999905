// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Phrases of languages whose words cannot be told by spaces, or whose endings change: Chinese, Japanese, Korean,
// Russian and Ukrainian. A phrase is found anywhere in a text, " ... " in it stands for up to kMaxGap bytes of the same
// sentence.
#include <algorithm>
#include <array>
#include <cstring>

#include "classify/phrase_classes.h"
#include "classify/phrase_table.h"

namespace fuseboard::classify_internal {
namespace {

using enum Category;
using enum Modifier;
using enum Use;

constexpr CategorySet kModel = {invalid_request, resource_not_found, permission_denied};
constexpr CategorySet kAnyClass = {invalid_request, permission_denied, rate_limit, service_unavailable};

constexpr PhraseRow kPhrases[] = {
    // Safety systems first: whatever else such a text says, it is about what was asked.
    {"敏感词", kAnyClass, content_policy, "Chinese gateways: sensitive words"},
    {"敏感詞", kAnyClass, content_policy, "the same, traditional"},
    {"敏感内容", kAnyClass, content_policy, "Zhipu 1301, MiniMax 1026: sensitive content"},
    {"敏感信息", kAnyClass, content_policy, "Alibaba, ByteDance: sensitive information"},
    {"敏感資訊", kAnyClass, content_policy, "the same, traditional"},
    {"不安全 ... 内容", kAnyClass, content_policy, "Zhipu 1301: unsafe content"},
    {"违规内容", kAnyClass, content_policy, "Chinese APIs: content against the rules"},
    {"内容违规", kAnyClass, content_policy, "the same"},
    {"內容違規", kAnyClass, content_policy, "the same, traditional"},
    {"违规信息", kAnyClass, content_policy, "the same"},
    {"涉及违规", kAnyClass, content_policy, "the same"},
    {"内容安全", kAnyClass, content_policy, "content safety"},
    {"内容审核", kAnyClass, content_policy, "content moderation"},
    {"内容审查", kAnyClass, content_policy, "content moderation"},
    {"审核未通过", kAnyClass, content_policy, "moderation failed"},
    {"审核不通过", kAnyClass, content_policy, "moderation failed"},
    {"安全审核", kAnyClass, content_policy, "moderation"},
    {"不合规", kAnyClass, content_policy, "Chinese APIs: not compliant"},
    {"违反 ... 内容政策", kAnyClass, content_policy, "content policy"},
    {"内容政策", kAnyClass, content_policy, "content policy"},
    {"使用政策", kAnyClass, content_policy, "usage policy"},
    {"内容过滤", kAnyClass, content_policy, "content filter"},
    {"不当内容", kAnyClass, content_policy, "inappropriate content"},
    {"风险内容", kAnyClass, content_policy, "risky content"},
    {"高风险", kBad, content_policy, "Moonshot: considered high risk"},
    {"コンテンツポリシー", kAnyClass, content_policy, "Japanese: content policy"},
    {"コンテンツフィルタ", kAnyClass, content_policy, "Japanese: content filter"},
    {"利用規約に違反", kAnyClass, content_policy, "Japanese: against the terms of use"},
    {"使用ポリシー", kAnyClass, content_policy, "Japanese: usage policy"},
    {"不適切なコンテンツ", kAnyClass, content_policy, "Japanese: inappropriate content"},
    {"不適切な内容", kAnyClass, content_policy, "Japanese: inappropriate content"},
    {"安全性 ... ブロック", kAnyClass, content_policy, "Japanese: blocked for safety"},
    {"콘텐츠 정책", kAnyClass, content_policy, "Korean: content policy"},
    {"사용 정책", kAnyClass, content_policy, "Korean: usage policy"},
    {"부적절한 콘텐츠", kAnyClass, content_policy, "Korean: inappropriate content"},
    {"부적절한 내용", kAnyClass, content_policy, "Korean: inappropriate content"},
    {"политик ... контент", kAnyClass, content_policy, "Russian: content policy"},
    {"правила использования", kAnyClass, content_policy, "Russian: rules of use"},
    {"политику использования", kAnyClass, content_policy, "Russian: usage policy"},
    {"недопустимое содержание", kAnyClass, content_policy, "Russian: inappropriate content"},
    {"фильтр ... контент", kAnyClass, content_policy, "Russian: content filter"},

    // Our own side.
    {"用户拒绝", kNone, policy_violation, "Chinese agents: a person declined", free},
    {"被用户拒绝", kNone, policy_violation, "the same", free},
    {"管理员禁止", kBadOrDenied, policy_violation, "Chinese gateways: forbidden by an administrator"},
    {"策略禁止", kBadOrDenied, policy_violation, "Chinese gateways: forbidden by policy"},
    {"ユーザーが拒否", kNone, policy_violation, "Japanese agents", free},
    {"ユーザーによって拒否", kNone, policy_violation, "Japanese agents", free},
    {"사용자가 거부", kNone, policy_violation, "Korean agents", free},
    {"отклонено пользователем", kNone, policy_violation, "Russian agents", free},

    // Length.
    {"上下文长度", kLength, kTooLong, "Chinese: context length"},
    {"上下文長度", kLength, kTooLong, "the same, traditional"},
    {"上下文窗口", kLength, kTooLong, "context window"},
    {"上下文超", kLength, kTooLong, "context exceeded"},
    {"超过 ... 上下文", kLength, kTooLong, "beyond the context"},
    {"超出 ... 上下文", kLength, kTooLong, "beyond the context"},
    {"prompt 超长", kLength, kTooLong, "Zhipu 1261"},
    {"输入 ... 超长", kLength, kTooLong, "input too long"},
    {"输入过长", kLength, kTooLong, "input too long"},
    {"输入内容过长", kLength, kTooLong, "input too long"},
    {"输入长度超", kLength, kTooLong, "input too long"},
    {"输入 ... 长度 ... 超", kLength, kTooLong, "input too long"},
    {"提示词过长", kLength, kTooLong, "prompt too long"},
    {"token数超", kLength, kTooLong, "too many tokens"},
    {"token 数量超", kLength, kTooLong, "too many tokens"},
    {"コンテキスト長", kLength, kTooLong, "Japanese: context length"},
    {"コンテキストウィンドウ", kLength, kTooLong, "Japanese: context window"},
    {"入力が長すぎ", kLength, kTooLong, "Japanese: input too long"},
    {"컨텍스트 길이", kLength, kTooLong, "Korean: context length"},
    {"컨텍스트 창", kLength, kTooLong, "Korean: context window"},
    {"입력이 너무 깁", kLength, kTooLong, "Korean: input too long"},
    {"длин ... контекста", kLength, kTooLong, "Russian: context length"},
    {"окно контекста", kLength, kTooLong, "Russian: context window"},

    // Credit, and windows of an hour or more.
    {"余额不足", kCredit, kSpent, "Chinese: insufficient balance"},
    {"餘額不足", kCredit, kSpent, "the same, traditional"},
    {"余额 ... 不足", kCredit, kSpent, "the same"},
    {"欠费", kCredit, kSpent, "Zhipu 1113, Alibaba: in arrears"},
    {"欠費", kCredit, kSpent, "the same, traditional"},
    {"额度不足", kCredit, kSpent, "One API: insufficient quota"},
    {"額度不足", kCredit, kSpent, "the same, traditional"},
    {"额度已用", kCredit, kSpent, "quota used up"},
    {"额度用尽", kCredit, kSpent, "quota used up"},
    {"额度耗尽", kCredit, kSpent, "quota used up"},
    {"额度 ... 用完", kCredit, kSpent, "quota used up"},
    {"额度 ... 用尽", kCredit, kSpent, "quota used up"},
    {"配额不足", kCredit, kSpent, "insufficient quota"},
    {"配额已用", kCredit, kSpent, "quota used up"},
    {"配额用尽", kCredit, kSpent, "quota used up"},
    {"配额耗尽", kCredit, kSpent, "quota used up"},
    {"超出配额", kCredit, long_window(), "quota exceeded"},
    {"配额 ... 超", kCredit, long_window(), "quota exceeded"},
    {"余量已用", kCredit, kSpent, "Tencent: resource pack used up"},
    {"资源包 ... 用", kCredit, kSpent, "resource pack used up"},
    {"套餐 ... 到期", kCredit, kSpent, "Zhipu 1309: plan expired"},
    {"套餐 ... 过期", kCredit, kSpent, "plan expired"},
    {"套餐 ... 用", kCredit, kSpent, "plan used up"},
    {"请充值", kCredit, kSpent, "please recharge"},
    {"请先充值", kCredit, kSpent, "please recharge"},
    {"未开通付费", kCredit, kSpent, "Tencent: no billing"},
    {"小时 ... 上限", kCredit, long_window(), "Zhipu 1308: 5-hour window"},
    {"小时 ... 限额", kCredit, long_window(), "the same"},
    {"今日 ... 上限", kCredit, long_window(), "daily limit"},
    {"今日 ... 次数", kCredit, long_window(), "daily limit"},
    {"当日 ... 上限", kCredit, long_window(), "daily limit"},
    {"当天 ... 上限", kCredit, long_window(), "daily limit"},
    {"每日 ... 上限", kCredit, long_window(), "daily limit"},
    {"每日 ... 限", kCredit, long_window(), "daily limit"},
    {"每天 ... 限", kCredit, long_window(), "daily limit"},
    {"日调用", kCredit, long_window(), "daily calls"},
    {"日限额", kCredit, long_window(), "daily limit"},
    {"每周 ... 限", kCredit, long_window(), "Zhipu 1310: weekly limit"},
    {"每月 ... 限", kCredit, long_window(), "monthly limit"},
    {"本周 ... 上限", kCredit, long_window(), "weekly limit"},
    {"本月 ... 上限", kCredit, long_window(), "monthly limit"},
    {"月限额", kCredit, long_window(), "monthly limit"},
    {"周限额", kCredit, long_window(), "weekly limit"},
    {"免费额度", kCredit, kSpent, "free quota"},
    {"残高不足", kCredit, kSpent, "Japanese: insufficient balance"},
    {"残高が不足", kCredit, kSpent, "Japanese: insufficient balance"},
    {"クレジット ... 不足", kCredit, kSpent, "Japanese: insufficient credit"},
    {"クォータ ... 超", kCredit, long_window(), "Japanese: quota exceeded"},
    {"割り当て ... 超", kCredit, long_window(), "Japanese: quota exceeded"},
    {"1日 ... 上限", kCredit, long_window(), "Japanese: daily limit"},
    {"日次 ... 上限", kCredit, long_window(), "Japanese: daily limit"},
    {"月間 ... 上限", kCredit, long_window(), "Japanese: monthly limit"},
    {"利用上限", kCredit, long_window(), "Japanese: usage limit"},
    {"잔액이 부족", kCredit, kSpent, "Korean: insufficient balance"},
    {"잔액 부족", kCredit, kSpent, "Korean: insufficient balance"},
    {"크레딧 ... 부족", kCredit, kSpent, "Korean: insufficient credit"},
    {"할당량 ... 초과", kCredit, long_window(), "Korean: quota exceeded"},
    {"일일 ... 한도", kCredit, long_window(), "Korean: daily limit"},
    {"недостаточно средств", kCredit, kSpent, "Russian: insufficient funds"},
    {"недостаточно кредит", kCredit, kSpent, "Russian: insufficient credit"},
    {"недостаточный баланс", kCredit, kSpent, "Russian: insufficient balance"},
    {"недостатньо коштів", kCredit, kSpent, "Ukrainian: insufficient funds"},
    {"квота ... исчерпана", kCredit, kSpent, "Russian: quota used up"},
    {"квота превышена", kCredit, long_window(), "Russian: quota exceeded"},
    {"превышена квота", kCredit, long_window(), "Russian: quota exceeded"},
    {"дневной лимит", kCredit, long_window(), "Russian: daily limit"},
    {"суточный лимит", kCredit, long_window(), "Russian: daily limit"},
    {"месячный лимит", kCredit, long_window(), "Russian: monthly limit"},

    // Capacity.
    {"过载", kBusy, overloaded, "Chinese: overloaded"},
    {"過載", kBusy, overloaded, "the same, traditional"},
    {"负载已饱和", kBusy, overloaded, "One API: upstream load is saturated"},
    {"负载过高", kBusy, overloaded, "load too high"},
    {"负载较高", kBusy, overloaded, "load too high"},
    {"负载过大", kBusy, overloaded, "load too high"},
    {"高负载", kBusy, overloaded, "high load"},
    {"访问量过大", kBusy, overloaded, "Zhipu 1305: too much traffic for the model"},
    {"服务器繁忙", kBusy, overloaded, "DeepSeek: server busy"},
    {"服务繁忙", kBusy, overloaded, "service busy"},
    {"系统繁忙", kBusy, overloaded, "system busy"},
    {"系統繁忙", kBusy, overloaded, "the same, traditional"},
    {"伺服器忙碌", kBusy, overloaded, "the same, traditional"},
    {"模型繁忙", kBusy, overloaded, "model busy"},
    {"当前繁忙", kBusy, overloaded, "busy now"},
    {"排队人数", kBusy, overloaded, "a queue"},
    {"资源不足", kServer, overloaded, "no capacity"},
    {"算力不足", kBusy, overloaded, "no capacity"},
    {"算力紧张", kBusy, overloaded, "little capacity"},
    {"容量不足", kBusy, overloaded, "no capacity"},
    {"過負荷", kBusy, overloaded, "Japanese: overloaded"},
    {"混雑", kBusy, overloaded, "Japanese: crowded"},
    {"混み合って", kBusy, overloaded, "Japanese: crowded"},
    {"과부하", kBusy, overloaded, "Korean: overloaded"},
    {"혼잡", kBusy, overloaded, "Korean: crowded"},
    {"перегружен", kBusy, overloaded, "Russian: overloaded"},
    {"перевантажен", kBusy, overloaded, "Ukrainian: overloaded"},

    // Throttles.
    {"过于频繁", kNone, rate_limit, "Chinese: too frequent", free},
    {"過於頻繁", kNone, rate_limit, "the same, traditional", free},
    {"太频繁", kNone, rate_limit, "too frequent", free},
    {"频率限制", kDenied, rate_limit, "rate limit"},
    {"频率超限", kDenied, rate_limit, "rate limit"},
    {"频率过高", kDenied, rate_limit, "too frequent"},
    {"请求频率", kNone, rate_limit, "Zhipu 1302", free},
    {"访问频率", kNone, rate_limit, "rate of access", free},
    {"调用频率", kNone, rate_limit, "rate of calls", free},
    {"速率限制", kDenied, rate_limit, "rate limit"},
    {"请求过多", kNone, rate_limit, "too many requests", free},
    {"請求過多", kNone, rate_limit, "the same, traditional", free},
    {"请求太多", kNone, rate_limit, "too many requests", free},
    {"请求次数过多", kNone, rate_limit, "too many requests", free},
    {"请求数过多", kNone, rate_limit, "too many requests", free},
    {"请求 ... 超过 ... 限制", kNone, rate_limit, "requests beyond a limit", free},
    {"并发 ... 超", kNone, rate_limit, "too many at once", free},
    {"并发 ... 过", kNone, rate_limit, "too many at once", free},
    {"并发 ... 限", kNone, rate_limit, "too many at once", free},
    {"限流", kDenied, rate_limit, "throttled"},
    {"限速", kDenied, rate_limit, "throttled"},
    {"レート制限", kDenied, rate_limit, "Japanese: rate limit"},
    {"リクエストが多すぎ", kNone, rate_limit, "Japanese: too many requests", free},
    {"リクエスト数", kNone, rate_limit, "Japanese: number of requests", free},
    {"リクエスト制限", kNone, rate_limit, "Japanese: request limit", free},
    {"アクセスが集中", kNone, overloaded, "Japanese: heavy traffic", free},
    {"呼び出し回数", kNone, rate_limit, "Japanese: number of calls", free},
    {"요청이 너무 많", kNone, rate_limit, "Korean: too many requests", free},
    {"요청 한도", kNone, rate_limit, "Korean: request limit", free},
    {"속도 제한", kDenied, rate_limit, "Korean: rate limit"},
    {"слишком много запросов", kNone, rate_limit, "Russian: too many requests", free},
    {"слишком частые запросы", kNone, rate_limit, "Russian: too many requests", free},
    {"лимит запросов", kNone, rate_limit, "Russian: request limit", free},
    {"превышен лимит", kNone, rate_limit, "Russian: limit exceeded", free},
    {"забагато запитів", kNone, rate_limit, "Ukrainian: too many requests", free},

    // Models. A plan that lacks one comes first.
    {"套餐 ... 不支持", kCredit, permission_denied, "Zhipu 1311: not in the plan"},
    {"套餐 ... 未包含", kCredit, permission_denied, "Zhipu 1311: not in the plan"},
    {"套餐 ... 暂未开放", kCredit, permission_denied, "Zhipu 1311: not in the plan"},
    {"模型 ... 不存在", kModel, kNoModel, "Zhipu 1211, DeepSeek: model does not exist"},
    {"模型 ... 无可用渠道", kAnyClass, kNoModel, "One API: no channel for the model"},
    {"无可用渠道", kAnyClass, kNoModel, "One API: no channel for the model"},
    {"无可用通道", kAnyClass, kNoModel, "the same"},
    {"模型不可用", kModel, kNoModel, "model not available"},
    {"模型 ... 已下线", kModel, kNoModel, "model retired"},
    {"模型 ... 已下架", kModel, kNoModel, "model retired"},
    {"模型 ... 已停用", kModel, kNoModel, "model retired"},
    {"模型 ... 未找到", kModel, kNoModel, "model not found"},
    {"模型 ... 找不到", kModel, kNoModel, "model not found"},
    {"未找到 ... 模型", kModel, kNoModel, "model not found"},
    {"找不到 ... 模型", kModel, kNoModel, "model not found"},
    {"找不到 ... 模組", kNone, resource_not_found, "a module, not a model", free},
    {"不存在 ... 模型", kModel, kNoModel, "no such model"},
    {"未知模型", kModel, kNoModel, "unknown model"},
    {"不支持的模型", kModel, kNoModel, "unsupported model"},
    {"不支持该模型", kModel, kNoModel, "unsupported model"},
    {"不支持此模型", kModel, kNoModel, "unsupported model"},
    {"无效的模型", kModel, kNoModel, "invalid model"},
    {"模型名称错误", kModel, kNoModel, "wrong name of a model"},
    {"模型名错误", kModel, kNoModel, "wrong name of a model"},
    {"モデル ... 見つかりません", kModel, kNoModel, "Japanese: model not found"},
    {"モデル ... 存在しません", kModel, kNoModel, "Japanese: model does not exist"},
    {"モデル ... 存在しない", kModel, kNoModel, "Japanese: model does not exist"},
    {"モデル ... 利用できません", kModel, kNoModel, "Japanese: model not available"},
    {"모델을 찾을 수 없", kModel, kNoModel, "Korean: model not found"},
    {"모델 ... 찾을 수 없", kModel, kNoModel, "Korean: model not found"},
    {"모델 ... 존재하지 않", kModel, kNoModel, "Korean: model does not exist"},
    {"модель ... не найдена", kModel, kNoModel, "Russian: model not found"},
    {"модель ... не существует", kModel, kNoModel, "Russian: model does not exist"},
    {"модель ... недоступна", kModel, kNoModel, "Russian: model not available"},
    {"модель ... не знайдено", kModel, kNoModel, "Ukrainian: model not found"},

    // Credentials.
    {"密钥无效", kBadOrDenied, authentication, "Chinese: invalid key"},
    {"密钥 ... 无效", kBadOrDenied, authentication, "invalid key"},
    {"密钥 ... 错误", kBadOrDenied, authentication, "wrong key"},
    {"密钥 ... 不正确", kBadOrDenied, authentication, "wrong key"},
    {"密钥 ... 过期", kBadOrDenied, authentication, "expired key"},
    {"密鑰無效", kBadOrDenied, authentication, "invalid key, traditional"},
    {"金鑰無效", kBadOrDenied, authentication, "invalid key, traditional"},
    {"无效的密钥", kBadOrDenied, authentication, "invalid key"},
    {"无效的api", kBadOrDenied, authentication, "invalid API key"},
    {"无效的 api", kBadOrDenied, authentication, "invalid API key"},
    {"无效的令牌", kBadOrDenied, authentication, "One API: invalid token"},
    {"无效的token", kBadOrDenied, authentication, "invalid token"},
    {"无效令牌", kBadOrDenied, authentication, "invalid token"},
    {"令牌 ... 过期", kBadOrDenied, authentication, "Zhipu 1003: expired token"},
    {"令牌 ... 无效", kBadOrDenied, authentication, "invalid token"},
    {"令牌 ... 不正确", kBadOrDenied, authentication, "Zhipu 1002: wrong token"},
    {"令牌验证失败", kBadOrDenied, authentication, "token not verified"},
    {"该令牌状态不可用", kBadOrDenied, authentication, "One API: token disabled"},
    {"身份验证", kBadOrDenied, authentication, "Zhipu 1000, 1001: authentication"},
    {"身份認證", kBadOrDenied, authentication, "authentication, traditional"},
    {"身份认证", kBadOrDenied, authentication, "authentication"},
    {"认证失败", kBadOrDenied, authentication, "authentication failed"},
    {"認證失敗", kBadOrDenied, authentication, "authentication failed, traditional"},
    {"鉴权失败", kBadOrDenied, authentication, "authentication failed"},
    {"鉴权错误", kBadOrDenied, authentication, "authentication failed"},
    {"未授权", kBadOrDenied, authentication, "unauthorized"},
    {"未登录", kBadOrDenied, authentication, "not logged in"},
    {"请先登录", kBadOrDenied, authentication, "please log in"},
    {"请登录", kBadOrDenied, authentication, "please log in"},
    {"登录 ... 过期", kBadOrDenied, authentication, "login expired"},
    {"登录 ... 失效", kBadOrDenied, authentication, "login expired"},
    {"签名错误", kBadOrDenied, authentication, "wrong signature"},
    {"签名 ... 不匹配", kBadOrDenied, authentication, "wrong signature"},
    {"密码错误", kBadOrDenied, authentication, "wrong password"},
    {"apiキー ... 無効", kBadOrDenied, authentication, "Japanese: invalid API key"},
    {"apiキー", kBadOrDenied, authentication, "Japanese: API key"},
    {"api キー", kBadOrDenied, authentication, "Japanese: API key"},
    {"認証に失敗", kBadOrDenied, authentication, "Japanese: authentication failed"},
    {"認証エラー", kBadOrDenied, authentication, "Japanese: authentication error"},
    {"認証が必要", kBadOrDenied, authentication, "Japanese: authentication required"},
    {"認証情報", kBadOrDenied, authentication, "Japanese: credentials"},
    {"인증에 실패", kBadOrDenied, authentication, "Korean: authentication failed"},
    {"인증 실패", kBadOrDenied, authentication, "Korean: authentication failed"},
    {"인증이 필요", kBadOrDenied, authentication, "Korean: authentication required"},
    {"api 키", kBadOrDenied, authentication, "Korean: API key"},
    {"неверный api", kBadOrDenied, authentication, "Russian: invalid API key"},
    {"неверный ключ", kBadOrDenied, authentication, "Russian: invalid key"},
    {"недействительный ключ", kBadOrDenied, authentication, "Russian: invalid key"},
    {"ошибка аутентификации", kBadOrDenied, authentication, "Russian: authentication error"},
    {"ошибка авторизации", kBadOrDenied, authentication, "Russian: authorization error"},
    {"не авторизован", kBadOrDenied, authentication, "Russian: unauthorized"},
    {"требуется аутентификация", kBadOrDenied, authentication, "Russian: authentication required"},

    // Permissions.
    {"没有权限", kBad, permission_denied, "Chinese: no permission"},
    {"沒有權限", kBad, permission_denied, "the same, traditional"},
    {"无权限", kBad, permission_denied, "no permission"},
    {"无权访问", kBad, permission_denied, "no right of access"},
    {"无权使用", kBad, permission_denied, "no right of use"},
    {"无权", kBad, permission_denied, "no right"},
    {"權限不足", kBad, permission_denied, "no permission, traditional"},
    {"权限不足", kBad, permission_denied, "no permission"},
    {"权限不够", kBad, permission_denied, "glibc, zh_CN: EACCES"},
    {"拒絕不符權限的操作", kBad, permission_denied, "glibc, zh_TW: EACCES"},
    {"拒绝访问", kBad, permission_denied, "Windows, Chinese"},
    {"存取被拒", kBad, permission_denied, "Windows, Chinese, traditional"},
    {"访问被拒绝", kBad, permission_denied, "Chinese APIs"},
    {"禁止访问", kBad, permission_denied, "Chinese APIs"},
    {"不允许的操作", kNone, permission_denied, "glibc, zh_CN: EPERM", free},
    {"操作不允许", kNone, permission_denied, "glibc, zh_CN: EPERM", free},
    {"此項操作並不被允許", kNone, permission_denied, "glibc, zh_TW: EPERM", free},
    {"只读文件系统", kNone, permission_denied, "glibc, zh_CN: EROFS", free},
    {"唯讀的檔案系統", kNone, permission_denied, "glibc, zh_TW: EROFS", free},
    {"許可がありません", kBad, permission_denied, "glibc, ja: EACCES"},
    {"許可されていない操作", kBad, permission_denied, "glibc, ja: EPERM"},
    {"権限がありません", kBad, permission_denied, "Japanese APIs"},
    {"権限が不足", kBad, permission_denied, "Japanese APIs"},
    {"権限が必要", kBad, permission_denied, "Japanese APIs"},
    {"アクセスが拒否", kBad, permission_denied, "Windows, Japanese"},
    {"アクセス権", kBad, permission_denied, "Japanese APIs"},
    {"アクセスは許可されていません", kBad, permission_denied, "Japanese APIs"},
    {"読み込み専用ファイルシステム", kNone, permission_denied, "glibc, ja: EROFS", free},
    {"권한이 없", kBad, permission_denied, "Korean: no permission"},
    {"권한이 부족", kBad, permission_denied, "Korean: no permission"},
    {"허가 거부", kBad, permission_denied, "glibc, ko: EACCES"},
    {"명령을 허용하지 않음", kNone, permission_denied, "glibc, ko: EPERM", free},
    {"액세스가 거부", kBad, permission_denied, "Windows, Korean"},
    {"접근이 거부", kBad, permission_denied, "Korean APIs"},
    {"отказано в доступе", kBad, permission_denied, "glibc, ru: EACCES; Windows, Russian"},
    {"доступ запрещ", kBad, permission_denied, "Russian APIs"},
    {"недостаточно прав", kBad, permission_denied, "Russian APIs"},
    {"нет прав", kBad, permission_denied, "Russian APIs"},
    {"операция не позволена", kNone, permission_denied, "glibc, ru: EPERM", free},
    {"только для чтения", kNone, permission_denied, "glibc, ru: EROFS", free},
    {"відмовлено у доступі", kBad, permission_denied, "glibc, uk: EACCES"},

    // Time.
    {"超时", kNoAnswer, timeout, "Chinese: timed out; glibc, zh_CN"},
    {"逾時", kNoAnswer, timeout, "the same, traditional"},
    {"超時", kNoAnswer, timeout, "the same, traditional"},
    {"連線超過時間", kNoAnswer, timeout, "glibc, zh_TW: ETIMEDOUT"},
    {"一段时间后没有正确答复", kNoAnswer, timeout, "Windows, Chinese: WSAETIMEDOUT"},
    {"タイムアウト", kNoAnswer, timeout, "Japanese: timed out; glibc, ja"},
    {"制限時間", kNoAnswer, timeout, "Japanese: time limit"},
    {"時間切れ", kNoAnswer, timeout, "Japanese: out of time"},
    {"시간 초과", kNoAnswer, timeout, "glibc, ko: ETIMEDOUT"},
    {"시간이 초과", kNoAnswer, timeout, "Korean: timed out"},
    {"타임아웃", kNoAnswer, timeout, "Korean: timed out"},
    {"время ожидания", kNoAnswer, timeout, "glibc, ru: ETIMEDOUT; Russian APIs"},
    {"времени ожидания", kNoAnswer, timeout, "Russian APIs"},
    {"таймаут", kNoAnswer, timeout, "Russian APIs"},
    {"тайм-аут", kNoAnswer, timeout, "Russian APIs"},
    {"истекло время", kNoAnswer, timeout, "Russian APIs"},
    {"перевищено ... очікування", kNoAnswer, timeout, "glibc, uk: ETIMEDOUT"},

    // Shortages.
    {"设备上没有空间", kNone, resource_exhausted, "glibc, zh_CN: ENOSPC", free},
    {"磁盘空间不足", kNone, resource_exhausted, "Chinese tools", free},
    {"磁碟空間不足", kNone, resource_exhausted, "the same, traditional", free},
    {"裝置上已無多餘空間", kNone, resource_exhausted, "glibc, zh_TW: ENOSPC", free},
    {"无法分配内存", kNone, resource_exhausted, "glibc, zh_CN: ENOMEM", free},
    {"無法配置記憶體", kNone, resource_exhausted, "glibc, zh_TW: ENOMEM", free},
    {"内存不足", kNone, resource_exhausted, "Chinese tools", free},
    {"内存溢出", kNone, resource_exhausted, "Chinese tools", free},
    {"显存不足", kNone, resource_exhausted, "Chinese tools: GPU memory", free},
    {"打开的文件过多", kNone, resource_exhausted, "glibc, zh_CN: EMFILE", free},
    {"開啟太多檔案", kNone, resource_exhausted, "glibc, zh_TW: EMFILE", free},
    {"デバイスに空き領域がありません", kNone, resource_exhausted, "glibc, ja: ENOSPC", free},
    {"空き容量", kNone, resource_exhausted, "Windows, Japanese", free},
    {"メモリを確保できません", kNone, resource_exhausted, "glibc, ja: ENOMEM", free},
    {"メモリ不足", kNone, resource_exhausted, "Japanese tools", free},
    {"メモリが不足", kNone, resource_exhausted, "Japanese tools", free},
    {"ファイルを開きすぎ", kNone, resource_exhausted, "glibc, ja: EMFILE", free},
    {"장치에 남은 공간이 없", kNone, resource_exhausted, "glibc, ko: ENOSPC", free},
    {"메모리를 할당할 수 없", kNone, resource_exhausted, "glibc, ko: ENOMEM", free},
    {"메모리가 부족", kNone, resource_exhausted, "Korean tools", free},
    {"메모리 부족", kNone, resource_exhausted, "Korean tools", free},
    {"디스크 공간이 부족", kNone, resource_exhausted, "Korean tools", free},
    {"열린 파일이 너무 많", kNone, resource_exhausted, "glibc, ko: EMFILE", free},
    {"не осталось свободного места", kNone, resource_exhausted, "glibc, ru: ENOSPC", free},
    {"недостаточно места", kNone, resource_exhausted, "Windows, Russian", free},
    {"невозможно выделить память", kNone, resource_exhausted, "glibc, ru: ENOMEM", free},
    {"недостаточно памяти", kNone, resource_exhausted, "Russian tools", free},
    {"слишком много открытых файлов", kNone, resource_exhausted, "glibc, ru: EMFILE", free},

    // Connections.
    {"拒绝连接", kNone, network, "glibc, zh_CN: ECONNREFUSED", free},
    {"连接被拒绝", kNone, network, "Chinese tools", free},
    {"積極拒絕", kNone, network, "Windows, Chinese, traditional: WSAECONNREFUSED", free},
    {"积极拒绝", kNone, network, "Windows, Chinese: WSAECONNREFUSED", free},
    {"連線被拒絕", kNone, network, "glibc, zh_TW: ECONNREFUSED", free},
    {"连接被对方重", kNone, network, "glibc, zh_CN: ECONNRESET", free},
    {"連線被對方重設", kNone, network, "glibc, zh_TW: ECONNRESET", free},
    {"连接 ... 重置", kNone, network, "Chinese tools", free},
    {"连接 ... 断开", kNone, network, "Chinese tools", free},
    {"连接 ... 关闭", kNone, network, "Chinese tools", free},
    {"连接 ... 中断", kNone, network, "Chinese tools", free},
    {"连接 ... 失败", kNone, network, "Chinese tools", free},
    {"连接 ... 异常", kNone, network, "Chinese tools", free},
    {"無法連線", kNone, network, "Chinese tools, traditional", free},
    {"連線失敗", kNone, network, "Chinese tools, traditional", free},
    {"无法连接", kNone, network, "Windows, Chinese", free},
    {"网络错误", kNone, network, "Chinese tools", free},
    {"網路錯誤", kNone, network, "Chinese tools, traditional", free},
    {"网络异常", kNone, network, "Chinese tools", free},
    {"网络不可达", kNone, network, "glibc, zh_CN: ENETUNREACH", free},
    {"无法访问网络", kNone, network, "Chinese tools", free},
    {"没有到主机的路由", kNone, network, "glibc, zh_CN: EHOSTUNREACH", free},
    {"未知的名称或服务", kNone, network, "glibc, zh_CN: EAI_NONAME", free},
    {"域名解析", kNone, network, "glibc, zh_CN: EAI_AGAIN", free},
    {"无法解析", kNone, network, "Chinese tools: name resolution", free},
    {"名稱或服務未知", kNone, network, "glibc, zh_TW: EAI_NONAME", free},
    {"断开的管道", kNone, network, "glibc, zh_CN: EPIPE", free},
    {"接続を拒否", kNone, network, "glibc, ja: ECONNREFUSED", free},
    {"接続が拒否", kNone, network, "Japanese tools", free},
    {"拒否されたため、接続できません", kNone, network, "Windows, Japanese: WSAECONNREFUSED", free},
    {"接続が相手からリセット", kNone, network, "glibc, ja: ECONNRESET", free},
    {"接続 ... リセット", kNone, network, "Japanese tools", free},
    {"接続 ... 切断", kNone, network, "Japanese tools", free},
    {"接続 ... 失敗", kNone, network, "Japanese tools", free},
    {"接続できません", kNone, network, "Japanese tools", free},
    {"接続エラー", kNone, network, "Japanese tools", free},
    {"ネットワークエラー", kNone, network, "Japanese tools", free},
    {"ネットワーク ... エラー", kNone, network, "Japanese tools", free},
    {"ネットワークに届きません", kNone, network, "glibc, ja: ENETUNREACH", free},
    {"ホストへの経路がありません", kNone, network, "glibc, ja: EHOSTUNREACH", free},
    {"名前またはサービスが不明", kNone, network, "glibc, ja: EAI_NONAME", free},
    {"名前解決", kNone, network, "glibc, ja: EAI_AGAIN", free},
    {"연결이 거부", kNone, network, "glibc, ko: ECONNREFUSED", free},
    {"연결을 거부", kNone, network, "Windows, Korean: WSAECONNREFUSED", free},
    {"연결을 끊", kNone, network, "glibc, ko: ECONNRESET", free},
    {"연결이 끊", kNone, network, "Korean tools", free},
    {"연결할 수 없", kNone, network, "Korean tools", free},
    {"연결에 실패", kNone, network, "Korean tools", free},
    {"연결 실패", kNone, network, "Korean tools", free},
    {"네트워크 오류", kNone, network, "Korean tools", free},
    {"네트워크가 접근 불가능", kNone, network, "glibc, ko: ENETUNREACH", free},
    {"서비스를 알 수 없습니다", kNone, network, "glibc, ko: EAI_NONAME", free},
    {"в соединении отказано", kNone, network, "glibc, ru: ECONNREFUSED", free},
    {"соединение ... разорвано", kNone, network, "glibc, ru: ECONNRESET", free},
    {"соединение ... сброшено", kNone, network, "Russian tools", free},
    {"соединение ... прервано", kNone, network, "Russian tools", free},
    {"соединение ... закрыто", kNone, network, "Russian tools", free},
    {"ошибка соединения", kNone, network, "Russian tools", free},
    {"ошибка подключения", kNone, network, "Russian tools", free},
    {"не удалось подключиться", kNone, network, "Russian tools", free},
    {"подключение не установлено", kNone, network, "Windows, Russian: WSAECONNREFUSED", free},
    {"ошибка сети", kNone, network, "Russian tools", free},
    {"сеть недоступна", kNone, network, "glibc, ru: ENETUNREACH", free},
    {"нет маршрута до узла", kNone, network, "glibc, ru: EHOSTUNREACH", free},
    {"неизвестное имя или служба", kNone, network, "glibc, ru: EAI_NONAME", free},
    {"в разрешении имен", kNone, network, "glibc, ru: EAI_AGAIN", free},
    {"у з'єднанні відмовлено", kNone, network, "glibc, uk: ECONNREFUSED", free},

    // Tools and commands.
    {"未找到命令", kNone, tool_not_found, "bash, zh_CN", free},
    {"找不到命令", kNone, tool_not_found, "bash, zh_CN", free},
    {"指令找不到", kNone, tool_not_found, "bash, zh_TW", free},
    {"不是内部或外部命令", kNone, tool_not_found, "cmd.exe, Chinese", free},
    {"不是內部或外部命令", kNone, tool_not_found, "cmd.exe, Chinese, traditional", free},
    {"工具 ... 不存在", kBadOrMissing, tool_not_found, "Chinese agents: no such tool"},
    {"未知工具", kBadOrMissing, tool_not_found, "Chinese agents: unknown tool"},
    {"未找到工具", kBadOrMissing, tool_not_found, "Chinese agents: tool not found"},
    {"找不到工具", kBadOrMissing, tool_not_found, "Chinese agents: tool not found"},
    {"コマンドが見つかりません", kNone, tool_not_found, "bash, ja", free},
    {"外部コマンド", kNone, tool_not_found, "cmd.exe, Japanese", free},
    {"ツール ... 見つかりません", kBadOrMissing, tool_not_found, "Japanese agents"},
    {"ツール ... 存在しません", kBadOrMissing, tool_not_found, "Japanese agents"},
    {"명령어를 찾을 수 없", kNone, tool_not_found, "bash, ko", free},
    {"명령을 찾을 수 없", kNone, tool_not_found, "bash, ko", free},
    {"내부 또는 외부 명령", kNone, tool_not_found, "cmd.exe, Korean", free},
    {"도구 ... 찾을 수 없", kBadOrMissing, tool_not_found, "Korean agents"},
    {"команда не найдена", kNone, tool_not_found, "bash, ru", free},
    {"внутренней или внешней командой", kNone, tool_not_found, "cmd.exe, Russian", free},
    {"инструмент ... не найден", kBadOrMissing, tool_not_found, "Russian agents"},
    {"команду не знайдено", kNone, tool_not_found, "bash, uk", free},

    // Things that do not exist.
    {"没有那个文件或目录", kNone, resource_not_found, "glibc, zh_CN: ENOENT", free},
    {"沒有此一檔案或目錄", kNone, resource_not_found, "glibc, zh_TW: ENOENT", free},
    {"系统找不到指定的", kNone, resource_not_found, "Windows, Chinese", free},
    {"系統找不到指定的", kNone, resource_not_found, "Windows, Chinese, traditional", free},
    {"不是目录", kNone, resource_not_found, "glibc, zh_CN: ENOTDIR", free},
    {"不存在", kBad, resource_not_found, "Chinese tools: does not exist"},
    {"未找到", kBad, resource_not_found, "Chinese tools: not found"},
    {"找不到", kBad, resource_not_found, "Chinese tools: not found"},
    {"没有找到", kBad, resource_not_found, "Chinese tools: not found"},
    {"そのようなファイルやディレクトリはありません", kNone, resource_not_found, "glibc, ja: ENOENT", free},
    {"見つかりません", kBad, resource_not_found, "Windows, Japanese; Japanese tools"},
    {"見つかりませんでした", kBad, resource_not_found, "Japanese tools"},
    {"存在しません", kBad, resource_not_found, "Japanese tools"},
    {"그런 파일이나 디렉터리가 없", kNone, resource_not_found, "glibc, ko: ENOENT", free},
    {"찾을 수 없", kBad, resource_not_found, "Windows, Korean; Korean tools"},
    {"존재하지 않", kBad, resource_not_found, "Korean tools"},
    {"нет такого файла или каталога", kNone, resource_not_found, "glibc, ru: ENOENT", free},
    {"не удается найти", kNone, resource_not_found, "Windows, Russian", free},
    {"не удаётся найти", kNone, resource_not_found, "Windows, Russian", free},
    {"не найден", kBad, resource_not_found, "Russian tools"},
    {"не существует", kBad, resource_not_found, "Russian tools"},
    {"немає такого файла", kNone, resource_not_found, "glibc, uk: ENOENT", free},
    {"не знайден", kBad, resource_not_found, "Ukrainian tools"},

    // Requests.
    {"参数错误", kNone, invalid_request, "Chinese APIs: wrong parameter", free},
    {"參數錯誤", kNone, invalid_request, "the same, traditional", free},
    {"参数无效", kNone, invalid_request, "Chinese APIs", free},
    {"参数不", kNone, invalid_request, "Chinese APIs", free},
    {"缺少参数", kNone, invalid_request, "Chinese APIs", free},
    {"缺少 ... 参数", kNone, invalid_request, "Chinese APIs", free},
    {"缺少必", kNone, invalid_request, "Chinese APIs", free},
    {"无效的参数", kNone, invalid_request, "glibc, zh_CN: EINVAL", free},
    {"無效的參數", kNone, invalid_request, "Chinese APIs, traditional", free},
    {"不適用的引數", kNone, invalid_request, "glibc, zh_TW: EINVAL", free},
    {"无效的请求", kNone, invalid_request, "Chinese APIs", free},
    {"请求格式", kNone, invalid_request, "Chinese APIs", free},
    {"格式错误", kNone, invalid_request, "Chinese APIs", free},
    {"無効な引数", kNone, invalid_request, "glibc, ja: EINVAL", free},
    {"パラメータが", kNone, invalid_request, "Japanese APIs", free},
    {"パラメーターが", kNone, invalid_request, "Japanese APIs", free},
    {"リクエストが無効", kNone, invalid_request, "Japanese APIs", free},
    {"無効なリクエスト", kNone, invalid_request, "Japanese APIs", free},
    {"不正なリクエスト", kNone, invalid_request, "Japanese APIs", free},
    {"잘못된 요청", kNone, invalid_request, "Korean APIs", free},
    {"잘못된 매개변수", kNone, invalid_request, "Korean APIs", free},
    {"부적절한 인수", kNone, invalid_request, "glibc, ko: EINVAL", free},
    {"недопустимый аргумент", kNone, invalid_request, "glibc, ru: EINVAL", free},
    {"неверный запрос", kNone, invalid_request, "Russian APIs", free},
    {"некорректный запрос", kNone, invalid_request, "Russian APIs", free},
    {"неверный параметр", kNone, invalid_request, "Russian APIs", free},

    // Stopped.
    {"用户取消", kNone, cancelled, "Chinese agents: cancelled by the user", free},
    {"已取消", kNone, cancelled, "Chinese tools", free},
    {"キャンセルされました", kNone, cancelled, "Japanese tools", free},
    {"취소되었", kNone, cancelled, "Korean tools", free},
    {"취소됨", kNone, cancelled, "Korean tools", free},
    {"отменено пользователем", kNone, cancelled, "Russian tools", free},
    {"операция отменена", kNone, cancelled, "Russian tools", free},

    // Servers.
    {"服务不可用", kNone, service_unavailable, "Chinese APIs: service unavailable", free},
    {"服務不可用", kNone, service_unavailable, "the same, traditional", free},
    {"暂时不可用", kNone, service_unavailable, "Chinese APIs", free},
    {"服务 ... 不可用", kNone, service_unavailable, "Chinese APIs", free},
    {"服务异常", kNone, service_unavailable, "Chinese APIs", free},
    {"服务器内部错误", kNone, service_unavailable, "Chinese APIs", free},
    {"伺服器內部錯誤", kNone, service_unavailable, "Chinese APIs, traditional", free},
    {"服务器错误", kNone, service_unavailable, "Chinese APIs", free},
    {"服务器异常", kNone, service_unavailable, "Chinese APIs", free},
    {"系统异常", kNone, service_unavailable, "Chinese APIs", free},
    {"系统错误", kNone, service_unavailable, "Chinese APIs", free},
    {"内部错误", kNone, service_unavailable, "Chinese APIs", free},
    {"サービスは利用できません", kNone, service_unavailable, "Japanese APIs", free},
    {"サービス ... 利用できません", kNone, service_unavailable, "Japanese APIs", free},
    {"サーバーエラー", kNone, service_unavailable, "Japanese APIs", free},
    {"サーバーエラ", kNone, service_unavailable, "Japanese APIs", free},
    {"内部エラー", kNone, service_unavailable, "Japanese APIs", free},
    {"서비스를 사용할 수 없", kNone, service_unavailable, "Korean APIs", free},
    {"서버 오류", kNone, service_unavailable, "Korean APIs", free},
    {"내부 오류", kNone, service_unavailable, "Korean APIs", free},
    {"сервис недоступен", kNone, service_unavailable, "Russian APIs", free},
    {"сервис временно недоступен", kNone, service_unavailable, "Russian APIs", free},
    {"временно недоступ", kNone, service_unavailable, "Russian APIs", free},
    {"внутренняя ошибка сервера", kNone, service_unavailable, "Russian APIs", free},

    // Callees that broke.
    {"段错误", kNone, kBroke, "glibc, zh_CN: SIGSEGV", free},
    {"程式記憶體區段錯誤", kNone, kBroke, "glibc, zh_TW: SIGSEGV", free},
    {"세그멘테이션 오류", kNone, kBroke, "glibc, ko: SIGSEGV", free},
    {"ошибка сегментирования", kNone, kBroke, "glibc, ru: SIGSEGV", free},
};

constexpr std::size_t kRows = std::size(kPhrases);
constexpr std::size_t kMaxText = 2048;  // of one message; these scripts say much in few bytes
constexpr std::size_t kMaxGap = 48;
constexpr std::string_view kGap = " ... ";

constexpr std::uint8_t byte(char c) noexcept { return static_cast<std::uint8_t>(c); }

// The first two bytes tell most rows apart; a row may begin with ASCII ("api", "prompt", "1日").
constexpr std::size_t kBuckets = 512;
constexpr std::size_t bucket(std::string_view text) noexcept {
  return (byte(text[0]) * 7U + byte(text[1]) * 37U + (text.size() > 2 ? byte(text[2]) : 0U) * 101U) % kBuckets;
}

struct Index {
  std::array<std::uint16_t, kBuckets> first{};
  std::array<std::uint16_t, kRows> next{};
};
constexpr std::uint16_t kEnd = 0xFFFF;
consteval Index index_rows() {
  Index index;
  index.first.fill(kEnd);
  for (std::size_t row = kRows; row-- > 0;) {
    std::uint16_t& first = index.first[bucket(kPhrases[row].text)];
    index.next[row] = first;
    first = static_cast<std::uint16_t>(row);
  }
  return index;
}
constexpr Index kIndex = index_rows();

// Russian capitals have the lead bytes of small letters, shifted.
void fold_cyrillic(std::span<char> text) noexcept {
  for (std::size_t i = 0; i + 1 < text.size(); ++i) {
    if (byte(text[i]) != 0xD0) continue;
    const std::uint8_t next = byte(text[i + 1]);
    if (next >= 0x90 && next <= 0x9F) text[i + 1] = static_cast<char>(next + 0x20);
    if (next >= 0xA0 && next <= 0xAF) {
      text[i] = static_cast<char>(0xD1);
      text[i + 1] = static_cast<char>(next - 0x20);
    }
    ++i;
  }
}

// Quoted text is echoed input.
void blank_quotes(std::span<char> text) noexcept {
  struct Quotes {
    std::string_view open, close;
  };
  constexpr Quotes kQuotes[] = {{"“", "”"}, {"「", "」"}, {"『", "』"}, {"«", "»"}, {"„", "“"}};
  for (const Quotes& quotes : kQuotes) {
    const std::string_view view(text.data(), text.size());
    for (std::size_t at = view.find(quotes.open); at != std::string_view::npos;) {
      const std::size_t close = view.find(quotes.close, at + quotes.open.size());
      if (close == std::string_view::npos) break;
      std::fill(text.begin() + static_cast<std::ptrdiff_t>(at),
                text.begin() + static_cast<std::ptrdiff_t>(close + quotes.close.size()), ' ');
      at = view.find(quotes.open, close);
    }
  }
}

// A copy of the text in which letters have no case and quotes no content.
std::string_view fold(const Words& words, std::span<char> out) noexcept {
  const std::string_view text = words.text().substr(0, out.size());
  std::transform(text.begin(), text.end(), out.begin(), lower);
  const std::span<char> copy = out.first(text.size());
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind != WordKind::quoted) continue;
    const std::size_t begin = std::min<std::size_t>(words[i].begin, text.size());
    const std::size_t end = std::min<std::size_t>(words[i].end, text.size());
    std::fill(copy.begin() + static_cast<std::ptrdiff_t>(begin), copy.begin() + static_cast<std::ptrdiff_t>(end), ' ');
  }
  fold_cyrillic(copy);
  blank_quotes(copy);
  return {copy.data(), copy.size()};
}

// How far a sentence goes from the beginning of `text`, and no farther than a gap may.
std::string_view sentence(std::string_view text) noexcept {
  text = text.substr(0, kMaxGap);
  for (const std::string_view end : {"。", "！", "\n", "; ", "；", ". "}) {
    text = text.substr(0, std::min(text.find(end), text.size()));
  }
  return text;
}

// Whether a phrase stands at the beginning of `text`.
bool matches(std::string_view phrase, std::string_view text) noexcept {
  for (;;) {
    const std::size_t gap = std::min(phrase.find(kGap), phrase.size());
    if (!text.starts_with(phrase.substr(0, gap))) return false;
    text.remove_prefix(gap);
    if (gap == phrase.size()) return true;
    phrase.remove_prefix(gap + kGap.size());
    const std::string_view next = phrase.substr(0, std::min(phrase.find(kGap), phrase.size()));
    const std::size_t reach = std::min(sentence(text).size() + next.size(), text.size());
    const std::size_t at = text.substr(0, reach).find(next);
    if (at == std::string_view::npos) return false;
    text.remove_prefix(at);
  }
}

bool is_ascii(std::string_view text) noexcept {
  std::uint64_t seen = 0;
  std::size_t at = 0;
  for (; at + sizeof(seen) <= text.size(); at += sizeof(seen)) {
    std::uint64_t eight = 0;
    std::memcpy(&eight, text.data() + at, sizeof(eight));
    seen |= eight;
  }
  for (; at < text.size(); ++at) seen |= byte(text[at]);
  return (seen & 0x8080808080808080ULL) == 0;
}

// Whether the text has letters of these scripts: Cyrillic begins with 0xD0, Chinese, Japanese and Korean with 0xE3 to
// 0xED.
bool has_script(const Words& words) noexcept {
  if (is_ascii(words.text())) return false;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].kind != WordKind::name) continue;
    for (const char c : words.text(words[i])) {
      if (byte(c) >= 0xD0 && byte(c) <= 0xED && byte(c) != 0xE2) return true;
    }
  }
  return false;
}

}  // namespace

const PhraseRow* script_row(const Words& words, std::optional<Category> known) noexcept {
  if (!has_script(words)) return nullptr;
  std::array<char, kMaxText> copy;
  const std::string_view text = fold(words, copy);
  std::size_t best = kRows;
  for (std::size_t at = 0; at + 1 < text.size(); ++at) {
    const std::string_view rest = text.substr(at);
    for (std::size_t row = kIndex.first[bucket(rest)]; row < best; row = kIndex.next[row]) {
      if (may_speak(kPhrases[row], known) && matches(kPhrases[row].text, rest)) best = row;
    }
  }
  return best == kRows ? nullptr : &kPhrases[best];
}

}  // namespace fuseboard::classify_internal
