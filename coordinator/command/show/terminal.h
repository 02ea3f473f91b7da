// SPDX-License-Identifier: Apache-2.0
// Terminal output: detection, width, colours, and a block redrawn in place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace remixer::coordinator::command {

// True if standard output is a terminal that supports escape sequences.
bool on_terminal();
// True if on_terminal() and NO_COLOR is not set.
bool use_colour();
// Columns of the terminal; 0 if output is not a terminal (so nothing is shortened in a pipe).
size_t terminal_width();
// Lines of the terminal; 0 if output is not a terminal.
size_t terminal_height();

enum class Colour { kBold, kDim, kRed, kGreen };
// `text` in colour if `enabled`, else unchanged.
std::string coloured(std::string_view text, Colour colour, bool enabled);

// Writes to standard output immediately. Throws Error if that fails, for example on a full disk.
void print(std::string_view text);

// A few lines at the bottom of the terminal that are redrawn in place.
class LiveBlock {
 public:
  LiveBlock() = default;
  // Leaves the lines on the screen and the cursor below them.
  ~LiveBlock() = default;
  LiveBlock(const LiveBlock&) = delete;
  LiveBlock& operator=(const LiveBlock&) = delete;

  // Draws `lines` (each narrower than the terminal, without a newline) over the previous ones,
  // after printing the finished text `above` permanently above them.
  void draw(const std::vector<std::string>& lines, std::string_view above = {});
  // Removes the block.
  void clear() { draw({}); }

 private:
  size_t drawn_ = 0;
};

}  // namespace remixer::coordinator::command
