module.exports = () => ({
  'users-permissions': {
    config: { jwtSecret: 'only for this test, and long enough', jwtManagement: 'refresh', sessions: { httpOnly: false, accessTokenLifespan: 600 } }
  }
})
