// Says where the node did not do what a part of a page asked for: nothing else would show it. Found
// patients go with it, so that nobody takes those of a former search for those of this one.
"use strict";

function tellUnanswered(event) {
  // The session has ended: the page itself asks to sign in.
  if (event.detail.xhr?.status === 401) location.reload();
  const target = event.detail.target;
  // A list that is asked for again and again says by itself that it is out of date.
  if (target?.id === "results") return;
  if (target?.id === "found") target.replaceChildren();
  document.getElementById("unanswered").hidden = false;
}

document.addEventListener("htmx:responseError", tellUnanswered);
document.addEventListener("htmx:sendError", tellUnanswered);
document.addEventListener("htmx:timeout", tellUnanswered);
document.addEventListener("htmx:beforeRequest", (event) => {
  // What a person asks for next; parts that ask by themselves only read.
  const isOfPerson = event.detail.requestConfig.verb === "post" && event.detail.target.id !== "results";
  if (isOfPerson) document.getElementById("unanswered").hidden = true;
});
