// Copyright The Fuseboard Authors
// SPDX-License-Identifier: Apache-2.0

// Reads the arguments. The only file that includes CLI11, which is slow to compile.

#include <CLI/CLI.hpp>
#include <charconv>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "cli/commands.h"
#include "config/spelling.h"
#include "fuseboard/core/escape.h"

namespace {

using namespace fuseboard::cli;
using fuseboard::escape_unprintable;

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// Empty, or what is wrong with a whole number as it was given. CLI11 would not say what is allowed.
template <typename Number>
std::string number_problem(const std::string& given) {
  Number number{};
  const char* const end = given.data() + given.size();
  const auto [stopped, error] = std::from_chars(given.data(), end, number);
  if (error == std::errc() && stopped == end) return "";
  return "must be a whole number from 0 to " + std::to_string(std::numeric_limits<Number>::max()) + ", not '" +
         escape_unprintable(given) + "'";
}

// `did you mean 'check'?`; where nothing is near, all that there is.
std::string advise(std::string_view given, const std::vector<std::string_view>& known) {
  if (const auto near = fuseboard::config::nearest_name(given, known))
    return "did you mean '" + std::string(*near) + "'?";
  return "there is: " + list({known.begin(), known.end()});
}

void add_serve(CLI::App& app, ServeArguments& arguments) {
  CLI::App* command = app.add_subcommand("serve", "Run the gateway. Without a configuration: the built-in demo");
  command->add_option("--config", arguments.config, "Configuration file; default ./fuseboard.yaml if it exists")
      ->type_name("FILE");
  command->add_option("--listen", arguments.listen, "Where to accept callers, instead of what the configuration says")
      ->type_name("ADDR:PORT");
}

void add_check(CLI::App& app, CheckArguments& arguments) {
  CLI::App* command = app.add_subcommand("check", "Check a configuration and print every problem; exit 0 or 1");
  command->add_option("config,--config", arguments.config, "Configuration file; default ./fuseboard.yaml")
      ->type_name("FILE");
  command->add_flag("--json", arguments.json, "Print the problems and warnings as JSON");
}

void add_classify(CLI::App& app, ClassifyArguments& arguments) {
  CLI::App* command = app.add_subcommand("classify", "Read a failure as JSON on stdin and say what it means");
  command->add_flag("--jsonl", arguments.jsonl, "One case a line, one answer a line");
  command->add_flag("--explain", arguments.explain, "Also the rule that decided, its source, and what to do");
  command->add_option("--config", arguments.config, "Configuration file whose classify.rules hold")->type_name("FILE");
}

void add_sim_provider(CLI::App& app, SimProviderArguments& arguments) {
  CLI::App* command = app.add_subcommand("sim-provider", "Run the simulated provider and tool server on loopback");
  command->add_option("--port", arguments.port, "Port on 127.0.0.1; 0 for any free one")
      ->required()
      ->type_name("N")
      ->check(CLI::Validator(number_problem<std::uint16_t>, ""));
  command->add_option("--faults", arguments.faults, "Fault script, see docs/simulated-provider.md")->type_name("FILE");
  command->add_option("--seed", arguments.seed, "Decides every text, id and chance; default 1")
      ->type_name("N")
      ->check(CLI::Validator(number_problem<std::uint64_t>, ""));
}

void add_version(CLI::App& app, VersionArguments& arguments) {
  CLI::App* command = app.add_subcommand("version", "Print version, commit, compiler and features");
  command->add_flag("--json", arguments.json, "Print JSON");
}

// CLI11 would say that a command is required, though one was given.
bool is_unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return false;
  std::vector<std::string_view> names;
  for (const CLI::App* command : app.get_subcommands(std::function<bool(const CLI::App*)>())) {
    if (command->get_name() == argv[1]) return false;
    names.push_back(command->get_name());
  }
  std::fprintf(stderr, "fuseboard: there is no command '%s'; %s\n", escape_unprintable(argv[1]).c_str(),
               advise(argv[1], names).c_str());
  return true;
}

// The first argument that it does not know, with the option that is meant; false: it knows all.
bool explain_extra(const CLI::App& command, const std::string& whole_name) {
  const std::vector<std::string> extras = command.remaining();
  if (extras.empty()) return false;
  const std::string_view extra = extras.front();
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::string given = escape_unprintable(extra.substr(0, extra.find('=')));
  if (extra.starts_with('-')) {
    const std::string advice = advise(given, std::vector<std::string_view>(names.begin(), names.end()));
    std::fprintf(stderr, "%s: there is no option '%s'; %s\n", whole_name.c_str(), given.c_str(), advice.c_str());
  } else {
    std::fprintf(stderr, "%s: '%s' is one argument too many; its options: %s\n", whole_name.c_str(),
                 escape_unprintable(extra).c_str(), list(names).c_str());
  }
  return true;
}

// Of the command that was given, or before it.
bool explain_extra(const CLI::App& app) {
  for (const CLI::App* command : app.get_subcommands()) {
    if (explain_extra(*command, "fuseboard " + command->get_name())) return true;
  }
  return explain_extra(app, "fuseboard");
}

int run(int argc, char** argv) {
  CLI::App app{"Fuseboard keeps one failing tool or model from taking an agent down", "fuseboard"};
  app.require_subcommand(1);
  app.set_version_flag("--version", "fuseboard " FUSEBOARD_VERSION);
  ServeArguments serve_arguments;
  CheckArguments check_arguments;
  ClassifyArguments classify_arguments;
  SimProviderArguments sim_arguments;
  VersionArguments version_arguments;
  add_serve(app, serve_arguments);
  add_check(app, check_arguments);
  add_classify(app, classify_arguments);
  add_sim_provider(app, sim_arguments);
  add_version(app, version_arguments);
  if (is_unknown_command(app, argc, argv)) return kUsage;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help is asked for and goes to stdout; everything else is a mistake in usage. A misspelt option says more than
    // what is missed for want of it.
    const bool helps = error.get_exit_code() == 0;
    if (!helps && explain_extra(app)) return kUsage;
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  if (app.got_subcommand("serve")) return serve(serve_arguments);
  if (app.got_subcommand("check")) return check(check_arguments);
  if (app.got_subcommand("classify")) return classify(classify_arguments);
  if (app.got_subcommand("sim-provider")) return sim_provider(sim_arguments);
  return version(version_arguments);
}

}  // namespace

int main(int argc, char** argv) {
  // A peer that closes its socket is an error of that connection, not of the program.
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "fuseboard: %s\n", escape_unprintable(error.what()).c_str());
    return kWrong;
  }
}
