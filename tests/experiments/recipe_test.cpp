#include "experiments/recipe.h"

#include "tests/experiments/expect_error.h"

namespace remixer::experiments {
namespace {

using ::testing::HasSubstr;

TEST(Recipe, SurvivesJson) {
  Recipe recipe;
  recipe.epochs = 8;
  recipe.kappa_lr = 1e-2;
  recipe.schedule_unit = "step";
  recipe.ema_decay = 0.99996;
  const Recipe back = recipe_from_json(Json::parse(to_json(recipe).dump()));
  EXPECT_EQ(back, recipe);
  EXPECT_EQ(recipe_from_json(to_json(Recipe{})), Recipe{});
  EXPECT_FALSE(recipe_from_json(to_json(Recipe{})).kappa_lr);
}

// Every field must reach the identity: set each to another value and see the JSON change.
TEST(Recipe, EveryFieldIsInTheJson) {
  const Json plain = to_json(Recipe{});
  for (const std::string& name : recipe_field_names()) {
    Recipe recipe;
    const Json value = name == "schedule_unit"           ? Json("step")
                       : plain[name].is_number_integer() ? Json(7)
                                                         : Json(0.25);
    set_recipe_field(recipe, name, value);
    EXPECT_FALSE(recipe == Recipe{}) << name;
    Json expected = plain;
    expected[name] = value;
    EXPECT_EQ(to_json(recipe), expected) << name;
  }
  EXPECT_EQ(plain.size(), recipe_field_names().size() + 1);  // and the version
}

TEST(Recipe, RefusesValuesOutOfRange) {
  const std::pair<const char*, Json> bad[] = {
      {"epochs", 0},          {"shards", 0},         {"shard_size", -1},      {"learning_rate", 0},
      {"learning_rate", -1},  {"kappa_lr", -0.1},    {"weight_decay", -1},    {"beta1", 1},
      {"epsilon", 0},         {"clip_gradient", -1}, {"label_smoothing", 1},  {"mixup", -0.5},
      {"horizontal_flip", 2}, {"drop_path", 1},      {"mix_probability", -1}, {"ema_decay", 1.5},
  };
  for (const auto& [name, value] : bad) {
    Recipe recipe;
    EXPECT_THAT(input_error([&] { set_recipe_field(recipe, name, value); }),
                HasSubstr("recipe." + std::string(name) + " is " + value.dump() + "; it must be"));
    Json json = to_json(Recipe{});
    json[name] = value;
    EXPECT_THAT(input_error([&] { recipe_from_json(json); }), HasSubstr(name));
  }
}

TEST(Recipe, NamesWhatIsWrong) {
  Recipe recipe;
  EXPECT_EQ(input_error([&] { set_recipe_field(recipe, "epohcs", 3); }),
            "recipe: unknown field 'epohcs'; did you mean 'epochs'?");
  EXPECT_EQ(input_error([&] { set_recipe_field(recipe, "epochs", 2.5); }),
            "recipe.epochs must be an integer, not a number");
  EXPECT_EQ(input_error([&] { set_recipe_field(recipe, "beta1", "0.9"); }),
            "recipe.beta1 must be a number, not a string");
  EXPECT_EQ(input_error([&] { set_recipe_field(recipe, "schedule_unit", "steps"); }),
            "recipe.schedule_unit: unknown value 'steps'; did you mean 'step'?");
  Json json = to_json(Recipe{});
  json.erase("mixup");
  EXPECT_EQ(input_error([&] { recipe_from_json(json); }), "recipe: field 'mixup' is missing");
  json = to_json(Recipe{});
  json["mixupp"] = 1;
  EXPECT_EQ(input_error([&] { recipe_from_json(json); }),
            "recipe: unknown field 'mixupp'; did you mean 'mixup'?");
  EXPECT_EQ(input_error([&] { recipe_from_json(Json::array()); }),
            "recipe must be an object, not an array");
}

}  // namespace
}  // namespace remixer::experiments
