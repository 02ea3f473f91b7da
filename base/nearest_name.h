// SPDX-License-Identifier: Apache-2.0
// Messages about unknown names, with a "did you mean" suggestion.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace remixer {

// The known name that `word` was probably meant to be: one that begins with it, else the closest by
// edit distance (swapped neighbours count once, case is ignored). Nothing if no name is close.
std::optional<std::string> nearest_name(std::string_view word,
                                        const std::vector<std::string>& known);

// "unknown labeler 'salienzy'; did you mean 'saliency'?", or if no name is close "unknown labeler
// 'x'; known are: bbox_grabcut, relabel".
std::string unknown_name(std::string_view what, std::string_view word,
                         const std::vector<std::string>& known);

// True for names that are safe in paths and tables: letters, digits, '_', '-' and '.', not
// beginning with '.', at most 80 characters.
bool is_plain_name(std::string_view text);

}  // namespace remixer
