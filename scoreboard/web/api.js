/* The page to try the API on: Swagger UI over the served description, in the theme of the system. */

const dark = matchMedia("(prefers-color-scheme: dark)");

function show() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

show();
dark.addEventListener("change", show);

window.SwaggerUIBundle({
  url: new URL("openapi.json", document.baseURI).href,
  domNode: document.getElementById("api"),
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false, // a token is not kept where every page of this origin could read it
  validatorUrl: null, // nobody else is asked
});
