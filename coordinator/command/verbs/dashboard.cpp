// SPDX-License-Identifier: Apache-2.0
// `remixer dashboard`: prints a link that opens the dashboard in one browser.
#include <fmt/format.h>

#include <cstdlib>

#include "base/error.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/dashboard_link.h"

namespace remixer::coordinator::command {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

// Extracts "8123" from "http://127.0.0.1:8123/open?key=..."
std::string port_of(const std::string& url) {
  const size_t path = url.find('/', url.find("//") + 2);
  const size_t colon = url.rfind(':', path);
  return url.substr(colon + 1, path - colon - 1);
}

}  // namespace

std::string dashboard_text(Session& session) {
  const std::string url = session.post("/links").at("url").get<std::string>();
  std::string text = fmt::format("Dashboard (this link works once): {}\n", url);
  if (!environment("SSH_CONNECTION").empty() && url.find("//127.0.0.1:") != std::string::npos) {
    const std::string port = port_of(url);
    text += fmt::format("From your own machine first: ssh -L {0}:127.0.0.1:{0} {1}\n", port,
                        session.ask<experiments::protocol::answers::Ping>("/ping").host);
  }
  return text;
}

void add_dashboard(CommandLine& line) {
  CLI::App* command = add_command(
      line, "dashboard", "Print a link that opens the dashboard in a browser", "remixer dashboard");
  command->callback([&line] {
    line.chosen = [&line] {
      Session session = Session::require(line.workspace);
      print(dashboard_text(session));
      return kExitDone;
    };
  });
}

}  // namespace remixer::coordinator::command
