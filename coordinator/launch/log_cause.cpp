// SPDX-License-Identifier: Apache-2.0
#include "coordinator/launch/log_cause.h"

#include <algorithm>
#include <cctype>
#include <vector>

namespace remixer::coordinator {
namespace {

constexpr size_t kLines = 3, kLongest = 300;

bool holds(std::string_view line, std::string_view word) {
  return std::search(line.begin(), line.end(), word.begin(), word.end(), [](char a, char b) {
           return std::tolower(static_cast<unsigned char>(a)) == b;
         }) != line.end();
}

// Lines that frame mpirun's messages, and messages that mpirun prints after any rank has ended.
bool is_frame(std::string_view line) {
  return line.find_first_not_of("-= \t\r") == std::string_view::npos;
}
bool is_epilogue(std::string_view line) {
  for (const char* begin :
       {"Primary job  terminated", "mpirun detected", "mpirun noticed", "MPI_ABORT was invoked"}) {
    if (line.starts_with(begin)) return true;
  }
  return false;
}

bool speaks_of_an_error(std::string_view line) {
  for (const char* word : {"error", "fail", "cannot", "not found", "no such", "terminate called",
                           "unable", "abort", "signal", "were asked for"}) {
    if (holds(line, word)) return true;
  }
  return false;
}

}  // namespace

std::string first_cause(std::string_view log) {
  std::vector<std::string_view> lines;
  for (size_t begin = 0; begin < log.size();) {
    const size_t end = std::min(log.find('\n', begin), log.size());
    const std::string_view line = log.substr(begin, end - begin);
    begin = end + 1;
    if (is_epilogue(line) && !lines.empty()) break;
    if (!is_frame(line)) lines.push_back(line.substr(0, kLongest));
  }
  auto first = std::find_if(lines.begin(), lines.end(), speaks_of_an_error);
  if (first == lines.end()) first = lines.begin();
  std::string text;
  for (size_t i = 0; i < kLines && first != lines.end(); ++i, ++first) {
    if (i > 0) text += " | ";
    text += *first;
  }
  return text;
}

}  // namespace remixer::coordinator
