// The syntax tree of a template. Nodes are made by the parser and never change afterwards.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "text/jinja/value.h"

namespace reveille::text::jinja {

struct Expr;
struct Stmt;
using ExprPtr = std::unique_ptr<Expr>;
using StmtPtr = std::unique_ptr<Stmt>;
using Block = std::vector<StmtPtr>;

enum class ExprKind {
  constant,   // value
  name,       // name
  list,       // items
  tuple,      // items
  dict,       // items: key, value, key, value ...
  unary,      // name is the operator: "-", "+", "not"
  binary,     // items[0] name items[1]; "and" and "or" too
  compare,    // items[0] operators[0] items[1] operators[1] items[2] ...
  concat,     // items joined by ~
  condition,  // items: test, then, (else)
  attribute,  // items[0] . name
  item,       // items[0] [ items[1] ]
  slice,      // items[0] [ items[1] : items[2] : items[3] ]; an absent part is null
  call,       // items[0] ( call )
  filter,     // items[0] | name ( call ); items[0] is null in a filter block
  test,       // items[0] is name ( call )
};

struct CallArgs {
  std::vector<ExprPtr> positional;
  std::vector<std::pair<std::string, ExprPtr>> named;
  ExprPtr star;         // *args
  ExprPtr double_star;  // **kwargs
};

struct Expr {
  ExprKind kind;
  int line = 0;
  int depth = 1;
  Value value;
  std::string name;
  std::vector<ExprPtr> items;
  std::vector<std::string> operators;
  CallArgs call;
};

enum class StmtKind {
  output,      // expr
  if_else,     // branches; a branch without a test is the else
  for_loop,    // target, expr, test, body, other
  set,         // target, expr
  set_block,   // target, filter, body
  macro,       // macro
  call_block,  // expr (a call), macro
  filter,      // filter, body
  with,        // assignments, body
  generation,  // body
  break_loop,  // leaves the innermost loop
  continue_loop,
};

struct Branch {
  ExprPtr test;
  Block body;
};

struct MacroDefinition {
  std::string name;
  std::vector<std::string> parameters;
  std::vector<ExprPtr> defaults;  // of the last parameters
  bool takes_caller = false, takes_varargs = false, takes_kwargs = false;
  Block body;
};

struct Stmt {
  StmtKind kind;
  int line = 0;
  ExprPtr expr;
  ExprPtr target;  // a name, a tuple of targets, or an attribute of a namespace
  ExprPtr test;
  ExprPtr filter;
  Block body;
  Block other;
  std::vector<Branch> branches;
  std::vector<std::pair<ExprPtr, ExprPtr>> assignments;
  MacroDefinition macro;
};

}  // namespace reveille::text::jinja
