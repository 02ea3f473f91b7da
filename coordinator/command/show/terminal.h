// SPDX-License-Identifier: Apache-2.0
// The terminal: whether there is one, how wide, in what colours, and a block redrawn in place.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace remixer::coordinator::command {

// Standard output is a terminal that understands escape sequences.
bool on_terminal();
// on_terminal(), and the user has not set NO_COLOR.
bool use_colour();
// Columns of the terminal, 0 where output is not one (so that nothing is shortened in a pipe).
size_t terminal_width();
// Lines of the terminal, 0 where output is not one.
size_t terminal_height();

enum class Colour { kBold, kDim, kRed, kGreen };
// `text` in a colour where `enabled`, else as it is.
std::string coloured(std::string_view text, Colour colour, bool enabled);

// Writes to standard output at once. Throws Error where it cannot be written, as on a full disk.
void print(std::string_view text);

// A few lines at the bottom of the terminal that are drawn over and over.
class LiveBlock {
 public:
  LiveBlock() = default;
  // Leaves the lines as they are, and the cursor below them.
  ~LiveBlock() = default;
  LiveBlock(const LiveBlock&) = delete;
  LiveBlock& operator=(const LiveBlock&) = delete;

  // Draws `lines` (each narrower than the terminal, without a newline) over the last ones, with
  // `above`, finished text, going up before them for good.
  void draw(const std::vector<std::string>& lines, std::string_view above = {});
  // Takes the block away.
  void clear() { draw({}); }

 private:
  size_t drawn_ = 0;
};

}  // namespace remixer::coordinator::command
