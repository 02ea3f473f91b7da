// SPDX-License-Identifier: Apache-2.0
// "Did you mean": messages about unknown names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace remixer {

// The known name that `word` was probably meant to be: one that begins with it, else the closest by
// edit distance (a swap of neighbours counts once, case not at all). Nothing where none is near.
std::optional<std::string> nearest_name(std::string_view word,
                                        const std::vector<std::string>& known);

// "unknown labeler 'salienzy'; did you mean 'saliency'?", or without a near one
// "unknown labeler 'x'; known are: bbox_grabcut, relabel".
std::string unknown_name(std::string_view what, std::string_view word,
                         const std::vector<std::string>& known);

// True for names that can stand in a path and in a table: letters, digits, '_', '-' and '.', not
// beginning with '.', at most 80 characters.
bool is_plain_name(std::string_view text);

}  // namespace remixer
