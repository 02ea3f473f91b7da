// SPDX-License-Identifier: Apache-2.0
// The description and the routes are the same list.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>

#include "coordinator/dashboard/assets.h"
#include "coordinator/http/routes.h"

namespace remixer::coordinator {
namespace {

std::vector<std::string> described() {
  const Asset* file = find_asset("openapi.json");
  if (!file) return {};
  const Json description = Json::parse(file->bytes);
  std::vector<std::string> routes;
  for (const auto& [path, methods] : description.at("paths").items()) {
    for (const auto& [method, route] : methods.items()) {
      std::string name = method;
      for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
      routes.push_back(name + " " + path);
    }
  }
  return routes;
}

TEST(OpenApiTest, DescribesEveryRouteAndNoOther) {
  EXPECT_THAT(route_names(), ::testing::UnorderedElementsAreArray(described()))
      << "docs/openapi.json and the routes of coordinator/http differ";
}

TEST(OpenApiTest, EveryReferenceIsThere) {
  const Json description = Json::parse(find_asset("openapi.json")->bytes);
  const std::string text = description.dump();
  const std::string mark = "\"$ref\":\"#/components/schemas/";
  int references = 0;
  for (size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at + 1)) {
    const size_t begin = at + mark.size();
    const std::string name = text.substr(begin, text.find('"', begin) - begin);
    EXPECT_TRUE(description["components"]["schemas"].contains(name)) << name;
    ++references;
  }
  EXPECT_GT(references, 20);
}

}  // namespace
}  // namespace remixer::coordinator
