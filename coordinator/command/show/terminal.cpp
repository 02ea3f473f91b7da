// SPDX-License-Identifier: Apache-2.0
#include "coordinator/command/show/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/error.h"

namespace remixer::coordinator::command {
namespace {

constexpr winsize kUsualSize{24, 80, 0, 0};

winsize terminal_size() {
  winsize size{};
  const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0;
  return known && size.ws_col > 0 && size.ws_row > 0 ? size : kUsualSize;
}

}  // namespace

bool on_terminal() {
  static const bool value = [] {
    const char* kind = std::getenv("TERM");
    return ::isatty(STDOUT_FILENO) == 1 && kind != nullptr && std::string_view(kind) != "dumb";
  }();
  return value;
}

bool use_colour() {
  const char* no_colour = std::getenv("NO_COLOR");
  return on_terminal() && (no_colour == nullptr || *no_colour == '\0');
}

size_t terminal_width() {
  return on_terminal() ? terminal_size().ws_col : 0;
}

size_t terminal_height() {
  return on_terminal() ? terminal_size().ws_row : 0;
}

std::string coloured(std::string_view text, Colour colour, bool enabled) {
  if (!enabled) return std::string(text);
  const char* code = "1";
  if (colour == Colour::kDim) code = "2";
  if (colour == Colour::kRed) code = "31";
  if (colour == Colour::kGreen) code = "32";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

void print(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(STDOUT_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("standard output cannot be written: {}", errno_text(errno));
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void LiveBlock::draw(const std::vector<std::string>& lines, std::string_view above) {
  std::string text;
  if (drawn_ > 0) text += fmt::format("\x1b[{}A", drawn_);
  text += "\r\x1b[J";
  text += above;
  for (const std::string& line : lines) text += line + "\n";
  print(text);
  drawn_ = lines.size();
}

}  // namespace remixer::coordinator::command
