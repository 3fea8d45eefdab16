// The one thing on these pages that needs script: only a page's script can ask the browser for a passkey. The form goes as any other.
const place = document.querySelector('[data-passkey]');
const form = place.closest('form');
form.closest('[data-needs-script]').hidden = false;

function tell(sentence) {
  place.querySelector('[role=alert]').textContent = sentence;
}

async function ask() {
  const options = JSON.parse(place.dataset.options);
  return place.dataset.passkey === 'create'
    ? navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
    : navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  tell('');
  try {
    form.elements.credential.value = JSON.stringify(await ask());
  } catch (fault) {
    tell(fault.name === 'InvalidStateError' ? 'This device has a passkey of yours already.' : 'No passkey was given. Try again.');
    return;
  }
  form.submit();
});

if (!window.PublicKeyCredential?.parseRequestOptionsFromJSON) {
  tell('This browser knows no passkeys. Take a newer one, or sign in another way.');
}
